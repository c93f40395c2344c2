/* Loaded into Debian's keepalived, it says yes to whatever is asked of the kernel's load balancer, which
   this machine may lack: its checkers are what is of interest. */
typedef int (*callback)(void *, void *);

enum { FINISH = 1, ACKNOWLEDGE = 4, KINDS = 16, SOCKETS = 8 };

static struct {
  void *socket;
  callback function[KINDS];
  void *argument[KINDS];
} known[SOCKETS];

static int place(void *socket) {
  for (int at = 0; at < SOCKETS; at++)
    if (known[at].socket == socket) return at;
  for (int at = 0; at < SOCKETS; at++)
    if (!known[at].socket) {
      known[at].socket = socket;
      return at;
    }
  return 0;
}

int nl_socket_modify_cb(void *socket, int type, int kind, callback function, void *argument) {
  int at = place(socket);
  known[at].function[type] = function;
  known[at].argument[type] = argument;
  return 0;
}

int genl_connect(void *socket) { return 0; }

int genl_ctrl_resolve(void *socket, const char *name) { return 30; }

int nl_send_auto(void *socket, void *message) { return 64; }

int nl_recvmsgs_default(void *socket) {
  int at = place(socket);
  if (known[at].function[FINISH]) known[at].function[FINISH](0, known[at].argument[FINISH]);
  if (known[at].function[ACKNOWLEDGE])
    known[at].function[ACKNOWLEDGE](0, known[at].argument[ACKNOWLEDGE]);
  known[at].socket = 0;
  return 0;
}
