package vectors;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Writes JSON lines to standard output; which ones, the only argument says. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        String what = arguments.length == 1 ? arguments[0] : "";
        try (PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8)) {
            Lines lines = new Lines(out);
            switch (what) {
                case "bodies" -> {
                    new Bodies(lines).writeAll();
                    Headers.writeAll(lines);
                }
                case "records" -> RecordSets.writeAll(lines);
                case "read" -> RecordReader.answerAll(standardInput(), lines);
                default -> throw new IllegalArgumentException("say one of: bodies, records, read");
            }
        }
    }

    private static BufferedReader standardInput() {
        return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    }
}
