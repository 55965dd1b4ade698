// A load client for what wrk cannot measure: latency at one connection, time to first token, many
// streams at once, and clients that go away.
//
//   load latency PORT REQUEST COUNT WARMUP     one connection, one request after the other
//   load ttft    PORT REQUEST COUNT WARMUP     the same; time to the first event of the stream
//   load streams PORT REQUEST COUNT CHUNKS SPREAD_MS LIMIT_MS
//                                              COUNT streams at once, begun over SPREAD_MS
//   load aborts  PORT REQUEST_A REQUEST_B COUNT CONCURRENCY
//                                              A: leaves after the first event; B: leaves 5..25 ms
//                                              after sending, before the head; by turns
//
// REQUEST is a file with the whole HTTP request, head and body. The result is one JSON object.
// Times are nanoseconds of CLOCK_MONOTONIC; percentiles are nearest rank over all samples.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 16384, HEAD_MAX = 65536, LINE_MAX_BYTES = 4096 };

enum part { HEAD, SIZE, DATA, DATA_END, TRAILER, LENGTH, TO_END, COMPLETE, BROKEN };

// Reads one answer, fed in any pieces.
struct answer {
  enum part part;
  char *head;
  size_t head_len;
  int status, closes;
  uint64_t left;          // bytes of the body or chunk still to come
  char line[LINE_MAX_BYTES];
  size_t line_len;        // of a size line, a trailer, or an event line
  char size_line[64];
  size_t size_len;
  long events;            // content events
  int done;               // saw [DONE]
  uint64_t first_event_ns, last_byte_ns, max_gap_ns;
};

struct samples {
  uint64_t *at;
  size_t len, cap;
};

static struct samples chunk_delays;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void *grown(void *memory, size_t size) {
  void *result = realloc(memory, size);
  if (result == NULL) fail("realloc");
  return result;
}

static void add_sample(struct samples *s, uint64_t value) {
  if (s->len == s->cap) {
    s->cap = s->cap == 0 ? 8192 : s->cap * 2;
    s->at = grown(s->at, s->cap * sizeof *s->at);
  }
  s->at[s->len++] = value;
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static uint64_t percentile(struct samples *s, double q) {
  if (s->len == 0) return 0;
  size_t rank = (size_t)(q * (double)s->len + 0.9999999);
  if (rank < 1) rank = 1;
  return s->at[(rank > s->len ? s->len : rank) - 1];
}

static void print_percentiles(const char *name, struct samples *s) {
  qsort(s->at, s->len, sizeof *s->at, compare);
  printf("\"%s\":{\"count\":%zu,\"p50_ns\":%llu,\"p95_ns\":%llu,\"p99_ns\":%llu,\"max_ns\":%llu}",
         name, s->len, (unsigned long long)percentile(s, 0.5),
         (unsigned long long)percentile(s, 0.95), (unsigned long long)percentile(s, 0.99),
         (unsigned long long)percentile(s, 1.0));
}

static void reset_answer(struct answer *a, uint64_t now) {
  char *head = a->head == NULL ? grown(NULL, HEAD_MAX) : a->head;
  memset(a, 0, sizeof *a);
  a->head = head;
  a->last_byte_ns = now;
}

static void take_event_line(struct answer *a, uint64_t now) {
  a->line[a->line_len] = 0;
  if (strncmp(a->line, "data: ", 6) == 0) {
    char *stamp = strchr(a->line, '@');
    if (strncmp(a->line + 6, "[DONE]", 6) == 0) {
      a->done = 1;
    } else if (stamp != NULL) {
      uint64_t sent = strtoull(stamp + 1, NULL, 10);
      if (a->first_event_ns == 0) a->first_event_ns = now;
      if (sent > 0 && sent <= now) add_sample(&chunk_delays, now - sent);
      a->events++;
    }
  }
  a->line_len = 0;
}

static void take_body(struct answer *a, const char *data, size_t len, uint64_t now) {
  for (size_t i = 0; i < len; i++) {
    if (data[i] == '\n') take_event_line(a, now);
    else if (a->line_len < LINE_MAX_BYTES - 1) a->line[a->line_len++] = data[i];
  }
}

static void parse_head(struct answer *a) {
  a->head[a->head_len] = 0;
  if (sscanf(a->head, "HTTP/1.1 %d", &a->status) != 1) {
    a->part = BROKEN;
    return;
  }
  int chunked = 0, framed = 0;
  for (char *line = strstr(a->head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    char *field = line + 2;
    if (strncasecmp(field, "content-length:", 15) == 0) {
      a->left = strtoull(field + 15, NULL, 10);
      framed = 1;
    } else if (strncasecmp(field, "transfer-encoding: chunked", 26) == 0) {
      chunked = 1;
    } else if (strncasecmp(field, "connection: close", 17) == 0) {
      a->closes = 1;
    }
  }
  if (chunked) a->part = SIZE;
  else if (framed) a->part = a->left == 0 ? COMPLETE : LENGTH;
  else a->part = TO_END;
}

static void feed(struct answer *a, const char *data, size_t len, uint64_t now) {
  if (now - a->last_byte_ns > a->max_gap_ns) a->max_gap_ns = now - a->last_byte_ns;
  a->last_byte_ns = now;
  size_t i = 0;
  while (i < len && a->part != COMPLETE && a->part != BROKEN) {
    char c = data[i];
    size_t take;
    switch (a->part) {
      case HEAD:
        if (a->head_len >= HEAD_MAX - 1) {
          a->part = BROKEN;
          break;
        }
        a->head[a->head_len++] = c;
        i++;
        if (a->head_len >= 4 && memcmp(a->head + a->head_len - 4, "\r\n\r\n", 4) == 0) parse_head(a);
        break;
      case SIZE:
        i++;
        if (c != '\n') {
          if (a->size_len < sizeof a->size_line - 1) a->size_line[a->size_len++] = c;
          break;
        }
        a->size_line[a->size_len] = 0;
        a->left = strtoull(a->size_line, NULL, 16);
        a->size_len = 0;
        a->part = a->left == 0 ? TRAILER : DATA;
        break;
      case DATA:
      case LENGTH:
        take = len - i < a->left ? len - i : (size_t)a->left;
        take_body(a, data + i, take, now);
        a->left -= take;
        i += take;
        if (a->left == 0) a->part = a->part == DATA ? DATA_END : COMPLETE;
        break;
      case DATA_END:
        i++;
        if (c == '\n') a->part = SIZE;
        break;
      case TRAILER:
        i++;
        if (c == '\n') {
          if (a->size_len == 0) a->part = COMPLETE;
          a->size_len = 0;
        } else if (c != '\r') {
          a->size_len = 1;
        }
        break;
      default:
        take_body(a, data + i, len - i, now);
        i = len;
    }
  }
}

static char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  char *text = grown(NULL, 1 << 20);
  *len = fread(text, 1, 1 << 20, file);
  fclose(file);
  return text;
}

static int connect_to(int port, int flags) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) fail("socket");
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_port = htons((uint16_t)port),
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 && errno != EINPROGRESS) fail("connect");
  return fd;
}

// ---- one connection ----------------------------------------------------------------------------

static void run_sequential(int port, const char *path, long count, long warmup, int first_event) {
  size_t request_len;
  char *request = read_file(path, &request_len);
  struct samples times = {0};
  struct answer a = {0};
  static char buffer[262144];
  long failed = 0, reconnects = 0;
  int fd = connect_to(port, 0);
  for (long i = 0; i < count + warmup; i++) {
    uint64_t start = now_ns();
    reset_answer(&a, start);
    if (send(fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) a.part = BROKEN;
    while (a.part != COMPLETE && a.part != BROKEN) {
      ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        a.part = a.part == TO_END && n == 0 ? COMPLETE : BROKEN;
        a.closes = 1;
        break;
      }
      feed(&a, buffer, (size_t)n, now_ns());
    }
    uint64_t end = first_event ? a.first_event_ns : a.last_byte_ns;
    int good = a.part == COMPLETE && a.status == 200 && (!first_event || (a.done && end > 0));
    if (i >= warmup) {
      if (good) add_sample(&times, end - start);
      else failed++;
    }
    if (a.closes || a.part == BROKEN) {
      close(fd);
      fd = connect_to(port, 0);
      reconnects++;
    }
  }
  printf("{\"failed\":%ld,\"reconnects\":%ld,", failed, reconnects);
  print_percentiles("time", &times);
  printf("}\n");
}

// ---- many connections --------------------------------------------------------------------------

enum phase { WAITING, CONNECTING, OPEN, CLOSED };

struct client {
  int fd;
  enum phase phase;
  int leaves_blind;       // goes away before the head, at `due_ns`
  uint64_t due_ns, start_ns;
  const char *request;
  size_t request_len, sent;
  struct answer answer;
};

static int epoll_fd;
static struct client *by_fd[FDS_MAX];

static void start_client(struct client *c, int port) {
  c->fd = connect_to(port, SOCK_NONBLOCK);
  if (c->fd >= FDS_MAX) fail("too many connections");
  by_fd[c->fd] = c;
  c->phase = CONNECTING;
  c->sent = 0;
  c->start_ns = now_ns();
  reset_answer(&c->answer, c->start_ns);
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT};
  e.data.fd = c->fd;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e) < 0) fail("epoll_ctl");
}

static void stop_client(struct client *c) {
  by_fd[c->fd] = NULL;
  close(c->fd);
  c->phase = CLOSED;
}

static void send_more(struct client *c) {
  ssize_t n = send(c->fd, c->request + c->sent, c->request_len - c->sent, MSG_NOSIGNAL);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    c->answer.part = BROKEN;
    return;
  }
  c->sent += (size_t)n;
  if (c->sent < c->request_len) return;
  c->phase = OPEN;
  c->answer.last_byte_ns = now_ns();
  struct epoll_event e = {.events = EPOLLIN};
  e.data.fd = c->fd;
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

static void receive(struct client *c) {
  static char buffer[262144];
  for (;;) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      c->answer.part = c->answer.part == TO_END && n == 0 ? COMPLETE : BROKEN;
      return;
    }
    feed(&c->answer, buffer, (size_t)n, now_ns());
    if ((size_t)n < sizeof buffer) return;
  }
}

static void serve_events(int timeout_ms) {
  static struct epoll_event events[1024];
  int n = epoll_wait(epoll_fd, events, 1024, timeout_ms);
  if (n < 0 && errno != EINTR) fail("epoll_wait");
  for (int i = 0; i < n; i++) {
    struct client *c = by_fd[events[i].data.fd];
    if (c == NULL) continue;
    if (c->phase == CONNECTING) send_more(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
  }
}

static void run_streams(int port, const char *path, long count, long chunks, long spread_ms,
                        long limit_ms) {
  size_t request_len;
  char *request = read_file(path, &request_len);
  struct client *clients = grown(NULL, (size_t)count * sizeof *clients);
  memset(clients, 0, (size_t)count * sizeof *clients);
  struct samples first = {0};
  uint64_t begin = now_ns(), last_start = begin, first_end = 0;
  srand(1);
  for (long i = 0; i < count; i++) {
    clients[i].request = request;
    clients[i].request_len = request_len;
    clients[i].due_ns = begin + (uint64_t)rand() % ((uint64_t)spread_ms * 1000000u + 1);
  }
  long held = 0, failed = 0, ended = 0, events = 0;
  uint64_t max_gap = 0;
  while (ended < count && now_ns() - begin < (uint64_t)limit_ms * 1000000u) {
    uint64_t now = now_ns();
    for (long i = 0; i < count; i++) {
      struct client *c = &clients[i];
      if (c->phase == WAITING && c->due_ns <= now) {
        start_client(c, port);
        last_start = now;
      }
      if (c->phase != OPEN && c->phase != CONNECTING) continue;
      struct answer *a = &c->answer;
      if (a->part != COMPLETE && a->part != BROKEN) continue;
      int good = a->part == COMPLETE && a->status == 200 && a->done && a->events == chunks;
      if (a->max_gap_ns > max_gap) max_gap = a->max_gap_ns;
      if (good && a->max_gap_ns <= 1000000000u) held++;
      else failed++;
      if (a->first_event_ns > 0) add_sample(&first, a->first_event_ns - c->start_ns);
      if (first_end == 0) first_end = now;
      events += a->events;
      ended++;
      stop_client(c);
    }
    serve_events(1);
  }
  printf("{\"held\":%ld,\"failed\":%ld,\"unfinished\":%ld,\"events\":%ld,\"max_gap_ns\":%llu,"
         "\"all_at_once\":%s,",
         held, failed, count - ended, events, (unsigned long long)max_gap,
         first_end > last_start ? "true" : "false");
  print_percentiles("first", &first);
  printf(",");
  print_percentiles("chunk", &chunk_delays);
  printf("}\n");
}

static void run_aborts(int port, const char *path_a, const char *path_b, long count, long at_once) {
  size_t len_a, len_b;
  char *request_a = read_file(path_a, &len_a);
  char *request_b = read_file(path_b, &len_b);
  struct client *clients = grown(NULL, (size_t)at_once * sizeof *clients);
  memset(clients, 0, (size_t)at_once * sizeof *clients);
  for (long i = 0; i < at_once; i++) clients[i].phase = CLOSED;
  long begun = 0, after_event = 0, before_head = 0, failed = 0;
  srand(2);
  uint64_t begin = now_ns();
  while (after_event + before_head + failed < count && now_ns() - begin < 60000000000u) {
    uint64_t now = now_ns();
    for (long i = 0; i < at_once; i++) {
      struct client *c = &clients[i];
      if (c->phase == CLOSED && begun < count) {
        c->leaves_blind = begun % 2 == 1;
        c->request = c->leaves_blind ? request_b : request_a;
        c->request_len = c->leaves_blind ? len_b : len_a;
        c->due_ns = now + (5 + (uint64_t)rand() % 21) * 1000000u;
        begun++;
        start_client(c, port);
        continue;
      }
      if (c->phase == CLOSED) continue;
      struct answer *a = &c->answer;
      if (a->part == BROKEN || a->part == COMPLETE) failed++;
      else if (c->leaves_blind && a->head_len > 0) failed++;
      else if (c->leaves_blind && c->phase == OPEN && c->due_ns <= now) before_head++;
      else if (!c->leaves_blind && a->events > 0) after_event++;
      else continue;
      stop_client(c);
    }
    serve_events(1);
  }
  printf("{\"begun\":%ld,\"after_event\":%ld,\"before_head\":%ld,\"failed\":%ld}\n", begun,
         after_event, before_head, failed);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {FDS_MAX, FDS_MAX};
  setrlimit(RLIMIT_NOFILE, &files);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  const char *mode = argc > 3 ? argv[1] : "";
  int port = argc > 3 ? atoi(argv[2]) : 0;
  if (strcmp(mode, "latency") == 0 && argc == 6) {
    run_sequential(port, argv[3], atol(argv[4]), atol(argv[5]), 0);
  } else if (strcmp(mode, "ttft") == 0 && argc == 6) {
    run_sequential(port, argv[3], atol(argv[4]), atol(argv[5]), 1);
  } else if (strcmp(mode, "streams") == 0 && argc == 8) {
    run_streams(port, argv[3], atol(argv[4]), atol(argv[5]), atol(argv[6]), atol(argv[7]));
  } else if (strcmp(mode, "aborts") == 0 && argc == 7) {
    run_aborts(port, argv[3], argv[4], atol(argv[5]), atol(argv[6]));
  } else {
    fprintf(stderr, "load: wrong arguments; the head of load.c has the usage\n");
    return 2;
  }
  return 0;
}
