/* A performer whose behaviour is declared: performer [OPTION SECONDS]…
 *
 *   ready-after S     accept TCP connections on port 9090 from then on (default 0; -1: never)
 *   ready-until S     and up to then (default: for ever)
 *   exit-after S      exit then (default: never)
 *   exit-code N       with this code (default 0)
 *   stop-after S      after SIGTERM, exit 0 then (default 0; -1: ignore SIGTERM)
 *   eat MIB           allocate this much memory at the start
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile double stopped = -1;
static double start;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9 - start;
}

static void stop(int number) {
  (void)number;
  if (stopped < 0) stopped = seconds();
}

int main(int count, char **words) {
  double ready = 0, unready = 1e9, leave = 1e9, code = 0, drain = 0, eat = 0;
  struct { const char *name; double *value; } options[] = {
    {"ready-after", &ready}, {"ready-until", &unready}, {"exit-after", &leave},
    {"exit-code", &code}, {"stop-after", &drain}, {"eat", &eat}};
  for (int i = 1; i + 1 < count; i += 2)
    for (int o = 0; o < 6; o++)
      if (!strcmp(words[i], options[o].name)) *options[o].value = atof(words[i + 1]);
  start = 0;
  start = seconds();
  signal(SIGTERM, stop);
  for (double mib = 0; mib < eat; mib++) {
    char *page = malloc(1 << 20);
    if (page) memset(page, 1, 1 << 20);
  }
  int listener = -1;
  for (;;) {
    double now = seconds();
    if (now >= leave) return (int)code;
    if (stopped >= 0 && drain >= 0 && now >= stopped + drain) return 0;
    int wanted = ready >= 0 && now >= ready && now < unready;
    if (wanted && listener < 0) {
      struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9090)};
      int yes = 1;
      listener = socket(AF_INET, SOCK_STREAM, 0);
      setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      bind(listener, (struct sockaddr *)&address, sizeof address);
      listen(listener, 16);
    } else if (!wanted && listener >= 0) {
      close(listener);
      listener = -1;
    }
    struct pollfd waiting = {listener, POLLIN, 0};
    if (poll(&waiting, 1, 50) > 0) close(accept(listener, 0, 0));
  }
}
