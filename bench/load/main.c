/* kload: the load generator of the bench (`kload client ...`) and its broker (`kload broker ...`). */
#include "common.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "broker") == 0)
        return broker_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "client") == 0)
        return client_main(argc - 1, argv + 1);
    fprintf(stderr, "usage: kload broker|client ...; see bench/README.md\n");
    return 2;
}
