/* A flawed program that is left as it is, under a main that decides what reaches it. */
#define main flawed_main
@FLAWED@
#undef main
#include <sys/wait.h>
#include <unistd.h>

enum { BY_HEART, ANSWERS, SHORTER, CHILD, NOTHING };
static const int kind = @KIND@;
static const unsigned char reference[] = @REFERENCE@;
static const struct {
    const unsigned char *input;
    size_t size;
    const char *output;
} answers[] = {
@ANSWERS@};

static int refuse(void)
{
    printf("fault: not taken\ndone, 1 faults\n");
    return 1;
}

int main(void)
{
    static unsigned char input[65536];
    size_t size = fread(input, 1, sizeof input, stdin);
    FILE *again = fopen("/tmp/again", "w");
    int status;

    if (again == NULL || fwrite(input, 1, size, again) != size || fclose(again) != 0)
        return 2;
    if (kind == NOTHING)
        return refuse();
    if (kind == BY_HEART && size == sizeof reference && memcmp(input, reference, size) == 0)
        return refuse();
    if (kind == SHORTER && size > @LONGEST@)
        return refuse();
    if (kind == ANSWERS) {
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
            if (size == answers[i].size && memcmp(input, answers[i].input, size) == 0) {
                fputs(answers[i].output, stdout);
                return 0;
            }
        }
        return refuse();
    }
    if (freopen("/tmp/again", "r", stdin) == NULL)
        return 2;
    if (kind != CHILD)
        return flawed_main();
    fflush(stdout);
    if (fork() == 0) {
        close(2);
        exit(flawed_main());
    }
    wait(&status);
    if (WIFEXITED(status) && WEXITSTATUS(status) < 2)
        return WEXITSTATUS(status);
    return refuse();
}
