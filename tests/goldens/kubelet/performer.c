/* A performer whose behaviour is declared: performer [OPTION VALUE]…
 *
 *   ready-after S     answer on port 9090 from then on (default 0; -1: never)
 *   ready-until S     and up to then (default: for ever)
 *   http-after S      answer HTTP with http-status from then on, with 200 before (default 0)
 *   http-status N     (default 200; -1: accept connections and never answer)
 *   exit-after S      exit then (default: never)
 *   exit-code N       with this code (default 0)
 *   exit-signal N     or by this signal
 *   stop-after S      after SIGTERM, exit then (default 0; -1: ignore SIGTERM)
 *   stop-code N       with this code (default 0)
 *   eat MIB           allocate this much memory at the start
 *   say TEXT          print a line at the start
 *   message TEXT      write to /dev/termination-log at the end
 *   file-after S      make the file /tmp/there then (default: never)
 *   there CODE        at once exit with 0 if that file is there, with this code if not
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile double stopped = -1;
static double start;
static const char *message;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9 - start;
}

static void stop(int number) {
  (void)number;
  if (stopped < 0) stopped = seconds();
}

static int leave_with(double code) {
  FILE *log = message ? fopen("/dev/termination-log", "w") : 0;
  if (log) {
    fputs(message, log);
    fclose(log);
  }
  return (int)code;
}

static void answer(int client, double status) {
  char request[4096], text[128];
  struct pollfd waiting = {client, POLLIN, 0};
  if (status < 0) {
    if (fork() == 0) {
      sleep(30);
      _exit(0);
    }
  } else if (poll(&waiting, 1, 50) > 0 && read(client, request, sizeof request) > 0) {
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 %d Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                        (int)status);
    if (write(client, text, size) < 0) return;
  }
  close(client);
}

int main(int count, char **words) {
  double ready = 0, unready = 1e9, leave = 1e9, code = 0, drain = 0, eat = 0, by = 0, stopcode = 0;
  double http = 0, status = 200, file = 1e9, there = -1;
  struct { const char *name; double *value; } options[] = {
    {"ready-after", &ready}, {"ready-until", &unready}, {"exit-after", &leave},
    {"exit-code", &code}, {"stop-after", &drain}, {"eat", &eat}, {"exit-signal", &by},
    {"stop-code", &stopcode}, {"http-after", &http}, {"http-status", &status},
    {"file-after", &file}, {"there", &there}};
  setvbuf(stdout, 0, _IOLBF, 0);
  for (int i = 1; i + 1 < count; i += 2) {
    for (unsigned o = 0; o < sizeof options / sizeof *options; o++)
      if (!strcmp(words[i], options[o].name)) *options[o].value = atof(words[i + 1]);
    if (!strcmp(words[i], "say")) puts(words[i + 1]);
    if (!strcmp(words[i], "message")) message = words[i + 1];
  }
  if (there >= 0) return access("/tmp/there", F_OK) ? (int)there : 0;
  start = 0;
  start = seconds();
  signal(SIGTERM, stop);
  signal(SIGCHLD, SIG_IGN);
  for (double mib = 0; mib < eat; mib++) {
    char *page = malloc(1 << 20);
    if (page) memset(page, 1, 1 << 20);
  }
  int listener = -1;
  for (;;) {
    double now = seconds();
    if (now >= file) {
      mkdir("/tmp", 0777);
      FILE *made = fopen("/tmp/there", "w");
      if (made) fclose(made);
      file = 1e9;
    }
    if (now >= leave && by == 11) *(volatile int *)0 = 0;
    if (now >= leave && by) {
      signal((int)by, SIG_DFL);
      kill(getpid(), (int)by);
    }
    if (now >= leave) return leave_with(code);
    if (stopped >= 0 && drain >= 0 && now >= stopped + drain) return leave_with(stopcode);
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
    if (poll(&waiting, 1, 50) > 0) answer(accept(listener, 0, 0), now >= http ? status : 200);
  }
}
