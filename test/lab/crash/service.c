/* Tells everybody who connects its name, over IPv4 and IPv6. service PORT NAME */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words) {
  if (count != 3) return 2;
  int on = 1, off = 0, listener = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 everywhere = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(words[1]))};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(listener, (struct sockaddr *)&everywhere, sizeof everywhere) < 0) return 1;
  if (listen(listener, 1024) < 0) return 1;
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    (void)!send(client, words[2], strlen(words[2]), MSG_NOSIGNAL);
    close(client);
  }
}
