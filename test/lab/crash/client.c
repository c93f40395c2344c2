/* A client on the segment. Every 5 ms it asks who has an address (ARP, or neighbour solicitation) and opens
   a TCP connection to it; of all that comes it writes a line with the kernel's time (microseconds since
   1970) and the MAC it came from:
     who TIME MAC         somebody answered the question
     tcp TIME MAC ASKED   a connection that was begun at ASKED was answered
     announced TIME MAC   somebody said unasked that it has the address
     advert TIME MAC PRIORITY
     late TIME US         the client itself had its turn so much too late
   client INTERFACE ADDRESS OWN-ADDRESS PORT */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_MS = 5, PATIENCE_MS = 900, PENDING = PATIENCE_MS / EVERY_MS + 1 };
enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd, VRRP = 112 };
enum { NEIGHBOUR_SOLICITATION = 135, NEIGHBOUR_ADVERTISEMENT = 136 };
/* Since Linux 4.20; not in every libc. */
enum { IGNORE_OUTGOING = 23 };

static int packets, interface_index, family, length;
static uint8_t own_mac[6], asked[16], own[16];
static struct sockaddr_storage service;
static struct { int fd; uint16_t port; int64_t begun; } pending[PENDING];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t clock_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int type_of(const uint8_t *frame) { return frame[12] << 8 | frame[13]; }

/* ---- Questions. */

static int ethernet(uint8_t *frame, const uint8_t *to, int type) {
  memcpy(frame, to, 6);
  memcpy(frame + 6, own_mac, 6);
  frame[12] = type >> 8;
  frame[13] = type;
  return 14;
}

static int arp_request(uint8_t *frame) {
  static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 1};
  uint8_t *arp = frame + ethernet(frame, (const uint8_t *)"\xff\xff\xff\xff\xff\xff", TYPE_ARP);
  memcpy(arp, head, 8);
  memcpy(arp + 8, own_mac, 6);
  memcpy(arp + 14, own, 4);
  memset(arp + 18, 0, 6);
  memcpy(arp + 24, asked, 4);
  return 14 + 28;
}

static uint16_t icmpv6_checksum(const uint8_t *ip, int size) {
  uint32_t sum = 58 + size;
  for (int at = 8; at < 40 + size; at += 2) sum += ip[at] << 8 | ip[at + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

static int solicitation(uint8_t *frame) {
  uint8_t to[6] = {0x33, 0x33, 0xff, asked[13], asked[14], asked[15]};
  uint8_t *ip = frame + ethernet(frame, to, TYPE_IPV6), *icmp = ip + 40;
  memset(ip, 0, 40 + 32);
  ip[0] = 0x60;
  ip[5] = 32;
  ip[6] = 58;
  ip[7] = 255;
  memcpy(ip + 8, own, 16);
  memcpy(ip + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff", 13);
  memcpy(ip + 37, asked + 13, 3);
  icmp[0] = NEIGHBOUR_SOLICITATION;
  memcpy(icmp + 8, asked, 16);
  icmp[24] = 1;
  icmp[25] = 1;
  memcpy(icmp + 26, own_mac, 6);
  uint16_t sum = icmpv6_checksum(ip, 32);
  icmp[2] = sum >> 8;
  icmp[3] = sum;
  return 14 + 40 + 32;
}

static void ask(void) {
  uint8_t frame[128];
  int size = family == AF_INET ? arp_request(frame) : solicitation(frame);
  /* What does not leave, as while the cable is out, is not answered: no more than that. */
  (void)!send(packets, frame, size, 0);
}

static void give_up(int at) {
  /* Without a trace: closed properly, ports would run out. */
  struct linger at_once = {1, 0};
  if (pending[at].fd <= 0) return;
  setsockopt(pending[at].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(pending[at].fd);
  pending[at].fd = 0;
}

/* Before the kernel asks again: that would be an answer to a later question. */
static void give_up_old(void) {
  int64_t now = clock_us(CLOCK_REALTIME);
  for (int at = 0; at < PENDING; at++)
    if (pending[at].fd > 0 && now - pending[at].begun > PATIENCE_MS * 1000) give_up(at);
}

static void connect_anew(void) {
  static int next;
  struct sockaddr_storage local;
  socklen_t size = sizeof local;
  int at = next++ % PENDING;
  give_up(at);
  int64_t begun = clock_us(CLOCK_REALTIME);
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  socklen_t far = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  if ((connect(fd, (struct sockaddr *)&service, far) < 0 && errno != EINPROGRESS) ||
      getsockname(fd, (struct sockaddr *)&local, &size) < 0) {
    close(fd);
    return;
  }
  pending[at].fd = fd;
  pending[at].begun = begun;
  /* At the same place in both families. */
  pending[at].port = ((struct sockaddr_in *)&local)->sin_port;
}

/* ---- Answers. */

static void tell(const char *what, int64_t at, const uint8_t *mac, const char *more) {
  printf("%s %lld %02x:%02x:%02x:%02x:%02x:%02x%s%s\n", what, (long long)at, mac[0], mac[1], mac[2], mac[3],
         mac[4], mac[5], *more ? " " : "", more);
}

static void hear_arp(int64_t at, const uint8_t *frame, int size) {
  const uint8_t *arp = frame + 14;
  if (size < 14 + 28 || memcmp(arp + 14, asked, 4)) return;
  if (!memcmp(arp + 24, asked, 4)) tell("announced", at, arp + 8, "");
  else if (arp[7] == 2) tell("who", at, arp + 8, "");
}

static void hear_icmpv6(int64_t at, const uint8_t *frame, const uint8_t *icmp, int size) {
  if (size < 24 || icmp[0] != NEIGHBOUR_ADVERTISEMENT || memcmp(icmp + 8, asked, 16)) return;
  int solicited = icmp[4] & 0x40;
  tell(solicited ? "who" : "announced", at, frame + 6, "");
}

static void hear_tcp(int64_t at, const uint8_t *frame, const uint8_t *tcp, int size) {
  char begun[24];
  int head = size < 20 ? 0 : (tcp[12] >> 4) * 4;
  if (head < 20 || size <= head) return;
  for (int each = 0; each < PENDING; each++) {
    if (pending[each].fd <= 0 || memcmp(&pending[each].port, tcp + 2, 2)) continue;
    snprintf(begun, sizeof begun, "%lld", (long long)pending[each].begun);
    tell("tcp", at, frame + 6, begun);
    give_up(each);
    return;
  }
}

static void hear_vrrp(int64_t at, const uint8_t *frame, const uint8_t *vrrp) {
  char priority[8];
  snprintf(priority, sizeof priority, "%d", vrrp[2]);
  tell("advert", at, frame + 6, priority);
}

static void hear_ip(int64_t at, const uint8_t *frame, int size) {
  int four = type_of(frame) == TYPE_IPV4;
  const uint8_t *ip = frame + 14, *body = ip + (four ? (ip[0] & 15) * 4 : 40);
  int end = four ? ip[2] << 8 | ip[3] : 40 + (ip[4] << 8 | ip[5]), protocol = ip[four ? 9 : 6];
  int left = (int)(ip + end - body);
  if (size < 14 + end || left < 8) return;
  if (protocol == VRRP) hear_vrrp(at, frame, body);
  else if (memcmp(ip + (four ? 12 : 8), asked, length) && protocol != 58) return;
  else if (protocol == IPPROTO_TCP) hear_tcp(at, frame, body, left);
  else if (!four && protocol == 58) hear_icmpv6(at, frame, body, left);
}

static void hear(void) {
  uint8_t frame[2048];
  char control[256];
  for (;;) {
    struct iovec part = {frame, sizeof frame};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    int size = recvmsg(packets, &message, MSG_DONTWAIT);
    if (size < 34) {
      if (size < 0) return;
      continue;
    }
    int64_t at = clock_us(CLOCK_REALTIME);
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one)) {
      if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SO_TIMESTAMPNS) continue;
      struct timespec *stamp = (struct timespec *)CMSG_DATA(one);
      at = (int64_t)stamp->tv_sec * 1000000 + stamp->tv_nsec / 1000;
    }
    int type = type_of(frame);
    if (type == TYPE_ARP) hear_arp(at, frame, size);
    else if (type == TYPE_IPV4 || type == TYPE_IPV6) hear_ip(at, frame, size);
  }
}

static void prepare(char **words) {
  struct ifreq request = {0};
  int on = 1, room = 4 << 20;
  family = strchr(words[2], ':') ? AF_INET6 : AF_INET;
  length = family == AF_INET ? 4 : 16;
  if (inet_pton(family, words[2], asked) != 1 || inet_pton(family, words[3], own) != 1) exit(2);
  packets = socket(AF_PACKET, SOCK_RAW, htons(3 /* all */));
  strncpy(request.ifr_name, words[1], IFNAMSIZ - 1);
  if (packets < 0 || ioctl(packets, SIOCGIFHWADDR, &request) < 0) fail("packet socket");
  memcpy(own_mac, request.ifr_hwaddr.sa_data, 6);
  interface_index = if_nametoindex(words[1]);
  struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(3),
                             .sll_ifindex = interface_index};
  setsockopt(packets, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt(packets, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  setsockopt(packets, SOL_PACKET, IGNORE_OUTGOING, &on, sizeof on);
  if (bind(packets, (struct sockaddr *)&here, sizeof here) < 0) fail("bind");
  /* Port and address are at the same places as far as they are shared. */
  struct sockaddr_in *four = (struct sockaddr_in *)&service;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)&service;
  service.ss_family = family;
  four->sin_port = htons(atoi(words[4]));
  if (family == AF_INET) memcpy(&four->sin_addr, asked, 4);
  else memcpy(&six->sin6_addr, asked, 16);
}

int main(int count, char **words) {
  if (count != 5) return 2;
  prepare(words);
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  struct pollfd source = {packets, POLLIN, 0};
  int64_t due = clock_us(CLOCK_MONOTONIC);
  for (;;) {
    int64_t now = clock_us(CLOCK_MONOTONIC);
    if (now >= due) {
      if (now - due > 2000) printf("late %lld %lld\n", (long long)clock_us(CLOCK_REALTIME), (long long)(now - due));
      while (due <= now) due += EVERY_MS * 1000;
      ask();
      give_up_old();
      connect_anew();
    }
    hear();
    if (fflush(stdout)) return 0;
    struct timespec rest = {0, (due - clock_us(CLOCK_MONOTONIC)) * 1000};
    if (rest.tv_nsec > 0) ppoll(&source, 1, &rest, NULL);
  }
}
