/* First command of a sandbox that is kept for a sample: starts the others, one message each.
 *
 *   keeper FD
 *
 * FD is a SOCK_SEQPACKET socket. A message is: op, number of arguments, number of environment
 * strings (32 bits each, in the machine's order), then the working folder, the arguments and the
 * environment, each ended by a zero; with it come four descriptors: standard input, output and
 * error, and where the wait status (32 bits) goes when the command has ended. Ops: 'x' executes,
 * 'w' writes standard input to the file that is the one argument, 'r' copies it to standard output.
 * Files are opened here, inside, so that what a subject leaves leads nowhere else.
 *
 * When a command has ended and no other is under way, all else that runs inside is killed. When the
 * other end of FD is closed, or its holder killed, the keeper ends, and the sandbox with it. It is the
 * first process of its space, which can't be killed, stopped or traced from inside, and hands its own
 * descriptors to nobody.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE (192 * 1024)
#define STRINGS 4096
#define COMMANDS 64
#define IS_FOLDER 21
#define IS_ABSENT 22

extern char **environ;

static struct { pid_t pid; int told; } running[COMMANDS];
static char message[MESSAGE + 1];
static char *strings[STRINGS + 3];
static sigset_t before;

static int failed(const char *what) {
  int error = errno;
  dprintf(2, "%s: %s\n", what, strerror(error));
  if (error == EISDIR) return IS_FOLDER;
  return error == ENOENT || error == ENOTDIR ? IS_ABSENT : 1;
}

static int copied(int from, int to) {
  static char data[65536];
  ssize_t got, put, done;
  while ((got = read(from, data, sizeof data)) > 0)
    for (done = 0; done < got; done += put)
      if ((put = write(to, data + done, got - done)) < 0) return -1;
  return got < 0 ? -1 : 0;
}

static int read_file(const char *path) {
  struct stat found;
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &found) < 0) return failed(path);
  if (S_ISDIR(found.st_mode)) return IS_FOLDER;
  return copied(file, 1) < 0 ? failed(path) : 0;
}

static int write_file(char *path) {
  for (char *cut = strchr(path + 1, '/'); cut; cut = strchr(cut + 1, '/')) {
    *cut = 0;
    mkdir(path, 0777);
    *cut = '/';
  }
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0) return failed(path);
  return copied(0, file) < 0 || close(file) < 0 ? failed(path) : 0;
}

static int command(uint32_t op, char *folder, char **arguments, char **environment, int *given) {
  setsid();
  for (int i = 0; i < 3; i++) dup2(given[i], i);
  for (int i = 0; i < 4; i++) close(given[i]);
  sigprocmask(SIG_SETMASK, &before, NULL);
  signal(SIGPIPE, SIG_DFL);
  environ = environment;
  if (chdir(folder) < 0) return failed(folder);
  if (op == 'r') return read_file(arguments[0]);
  if (op == 'w') return write_file(arguments[0]);
  execvp(arguments[0], arguments);
  dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
  return 127;
}

static void tell(int to, int32_t status) {
  if (write(to, &status, sizeof status) < 0) { /* nobody listens any more */ }
  close(to);
}

static void start(ssize_t size, int *given, int count) {
  uint32_t head[3];
  int place = 0;
  while (place < COMMANDS && running[place].pid) place++;
  if (count != 4 || size < (ssize_t)sizeof head || place == COMMANDS) goto out;
  memcpy(head, message, sizeof head);
  if (head[1] < 1 || head[1] > STRINGS / 2 || head[2] > STRINGS / 2) goto out;
  char *at = message + sizeof head, *end = message + size, *folder = at, **next = strings;
  *end = 0;
  at += strlen(at) + 1;
  for (uint32_t i = 0; i < head[1] + head[2]; i++) {
    if (at >= end) goto out;
    if (i == head[1]) *next++ = NULL;
    *next++ = at;
    at += strlen(at) + 1;
  }
  if (!head[2]) *next++ = NULL;
  *next = NULL;
  pid_t pid = fork();
  if (pid == 0) _exit(command(head[0], folder, strings, strings + head[1] + 1, given));
  if (pid < 0) goto out;
  running[place].pid = pid;
  running[place].told = given[3];
  count = 3;
out:
  for (int i = 0; i < count; i++) close(given[i]);
}

static void ended(void) {
  int status, left = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (int i = 0; i < COMMANDS; i++)
      if (running[i].pid == pid) {
        running[i].pid = 0;
        for (int j = 0; j < COMMANDS; j++) left += running[j].pid != 0;
        if (!left) kill(-1, SIGKILL);
        tell(running[i].told, status);
      }
}

static void take(int channel) {
  union { char room[CMSG_SPACE(4 * sizeof(int))]; struct cmsghdr align; } control;
  struct iovec part = {message, MESSAGE};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1,
                          .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t size = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  if (size < 0 && errno == EINTR) return;
  if (size <= 0) _exit(0);
  struct cmsghdr *first = CMSG_FIRSTHDR(&header);
  int given[4], count = 0;
  if (first && first->cmsg_type == SCM_RIGHTS) {
    count = (first->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(given, CMSG_DATA(first), count * sizeof(int));
  }
  start(size, given, count);
}

int main(int count, char **arguments) {
  sigset_t children;
  if (count != 2) return 2;
  int channel = atoi(arguments[1]);
  prctl(PR_SET_DUMPABLE, 0);
  signal(SIGPIPE, SIG_IGN);
  fcntl(channel, F_SETFD, FD_CLOEXEC);
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, &before);
  struct pollfd wait[2] = {{channel, POLLIN, 0},
                           {signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK), POLLIN, 0}};
  for (;;) {
    struct signalfd_siginfo seen;
    if (poll(wait, 2, -1) < 0 && errno != EINTR) return 1;
    if (wait[1].revents) {
      while (read(wait[1].fd, &seen, sizeof seen) > 0) {}
      ended();
    }
    if (wait[0].revents) take(channel);
  }
}
