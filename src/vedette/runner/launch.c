/* Lowers limits, joins control groups, and becomes the program that is named: for a sandbox's start.
 *
 *   launch CPU BLOCKS FILES COUNT [GROUP ...] PROGRAM [ARGUMENT ...]
 *
 * CPU is in seconds, BLOCKS of 512 bytes are the largest file, FILES may be open at once; COUNT GROUPs
 * are the files by which a process joins. What fails is told, with exit code 96.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void need(int done, const char *what) {
  if (done >= 0) return;
  dprintf(2, "%s: %s\n", what, strerror(errno));
  _exit(96);
}

static void lower(int which, rlim_t most, const char *what) {
  struct rlimit limit = {most, most};
  need(setrlimit(which, &limit), what);
}

int main(int count, char **arguments) {
  if (count < 6) return 2;
  int joins = atoi(arguments[4]);
  if (joins < 0 || joins > count - 6) return 2;
  char **at = arguments + 5;
  for (; joins > 0; joins--, at++) {
    int group = open(*at, O_WRONLY | O_CLOEXEC);
    need(group, *at);
    need(write(group, "0", 1), *at);
    close(group);
  }
  lower(RLIMIT_CORE, 0, "core");
  lower(RLIMIT_CPU, strtoul(arguments[1], NULL, 10), "cpu");
  lower(RLIMIT_FSIZE, strtoul(arguments[2], NULL, 10) * 512, "file size");
  lower(RLIMIT_NOFILE, strtoul(arguments[3], NULL, 10), "open files");
  execv(*at, at);
  need(-1, *at);
}
