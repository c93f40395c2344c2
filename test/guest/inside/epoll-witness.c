// Preloaded into a process of Node, it says which error epoll_pwait failed with: libuv aborts on any but EINTR,
// and does not say on which. What it answers is what the kernel answered.
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#define SIGNAL_SET_BYTES 8

int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout_ms, const sigset_t *mask) {
  int found = syscall(SYS_epoll_pwait, fd, events, most, timeout_ms, mask, SIGNAL_SET_BYTES);
  if (found >= 0 || errno == EINTR) return found;
  int error = errno;
  char link[64], place[64] = "nothing", text[400];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, place, sizeof place - 1);
  if (length >= 0) place[length] = 0;
  int again = syscall(SYS_epoll_pwait, fd, events, most, 0, mask, SIGNAL_SET_BYTES);
  length = snprintf(text, sizeof text,
                    "epoll_pwait(%d, %p, %d, %d) failed with error %d; the descriptor is %s; again: %d, error %d\n",
                    fd, (void *)events, most, timeout_ms, error, place, again, again < 0 ? errno : 0);
  write(2, text, length);
  errno = error;
  return found;
}
