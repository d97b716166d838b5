package vectors;

/** How a message is filled. */
enum Profile {
    /** Every field has its default. */
    DEF(0),
    /** Empty arrays, strings and blobs. */
    MIN(0),
    /** Arrays of one element. */
    ONE(1),
    /** Arrays of two elements, some long or non-ASCII strings. */
    TWO(2),
    /** Null wherever the protocol allows it, otherwise as ONE; tagged fields left out. */
    NUL(1);

    /** As TWO, with two tagged fields that no schema knows. */
    static final String UNKNOWN_TAGS = "UTAG";

    final int elements;

    Profile(int elements) {
        this.elements = elements;
    }
}
