/* Holds one thread of a process still, and no other: an event loop that is blocked. stall THREAD MS */
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

int main(int count, char **words) {
  if (count != 3) return 2;
  int thread = atoi(words[1]), ms = atoi(words[2]), state;
  struct timespec step = {0, 10000000};
  if (ptrace(PTRACE_SEIZE, thread, 0, 0) < 0 || ptrace(PTRACE_INTERRUPT, thread, 0, 0) < 0) return 1;
  waitpid(thread, &state, __WALL);
  for (; ms > 0; ms -= 10) {
    nanosleep(&step, NULL);
    /* Killed meanwhile. */
    if (waitpid(thread, &state, __WALL | WNOHANG) == thread && (WIFEXITED(state) || WIFSIGNALED(state))) return 0;
  }
  ptrace(PTRACE_DETACH, thread, 0, 0);
  return 0;
}
