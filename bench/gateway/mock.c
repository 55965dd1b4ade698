// A model server that costs next to nothing, for measuring what stands in front of it.
//
// One thread, one epoll. It reads the WHOLE request body before it answers: a server that answers
// early hides the cost of the upload. It listens on several ports, so that it can be many backends.
//
//   usage: mock PORTS          prints one line: "listening P1 P2 ...", ends when stdin closes
//
//   POST, body without "stream":true   a chat completion of 0.5 KB, length-framed
//   POST, body with "stream":true      server-sent events, one chunked frame for each event
//        "max_tokens":N                number of content chunks (default 64)
//        "seed":MS                     milliseconds between chunks (default 20)
//        "presence_penalty":D          tenths of a second before the head (default 0)
//   GET /v1/models, /health, /version  what a probe wants to see
//   GET /stats                         {"open","requests","aborts","streams"}
//
// Each content chunk carries the CLOCK_MONOTONIC nanoseconds at which it was written, so that a
// client on the same machine can tell how long the chunk was under way.
//
// "open" counts inference requests from their first byte to the last byte of the answer; "aborts"
// counts those whose connection went away in between.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

enum { FDS_MAX = 16384, IN_MAX = 16 << 20, PORTS_MAX = 64 };

enum state { READING, STREAMING };

struct conn {
  int fd;
  enum state state;
  char *in;
  size_t in_len, in_cap;
  char *out;
  size_t out_len, out_at, out_cap;
  int is_open;       // counted in `open_requests`
  int stream_slot;   // index in `streaming`, -1 when not there
  int head_sent;
  long chunks_left;
  long chunk_no;
  uint64_t interval_ns, due_ns;
};

static int epoll_fd;
static struct conn *conns[FDS_MAX];
static struct conn *streaming[FDS_MAX];
static int streaming_count;
static int is_listener[FDS_MAX];
static long open_requests, requests, aborts, streams;

static char json_answer[2048];
static size_t json_answer_len;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void *grown(void *memory, size_t size) {
  void *result = realloc(memory, size);
  if (result == NULL) die("realloc");
  return result;
}

static void watch(struct conn *c, int writable) {
  struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | (writable ? EPOLLOUT : 0u)};
  e.data.fd = c->fd;
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

static void leave_streaming(struct conn *c) {
  if (c->stream_slot < 0) return;
  struct conn *last = streaming[--streaming_count];
  streaming[c->stream_slot] = last;
  last->stream_slot = c->stream_slot;
  c->stream_slot = -1;
}

static void close_conn(struct conn *c) {
  if (c->is_open) {
    open_requests--;
    aborts++;
  }
  leave_streaming(c);
  conns[c->fd] = NULL;
  close(c->fd);
  free(c->in);
  free(c->out);
  free(c);
}

// Returns -1 when the connection is gone.
static int flush_out(struct conn *c) {
  while (c->out_at < c->out_len) {
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) {
        watch(c, 1);
        return 0;
      }
      if (errno == EINTR) continue;
      close_conn(c);
      return -1;
    }
    c->out_at += (size_t)n;
  }
  if (c->out_len > 0 && c->out_cap > 0) {
    c->out_len = c->out_at = 0;
    watch(c, 0);
  }
  return 0;
}

// Sends at once when nothing waits, keeps the rest. Returns -1 when the connection is gone.
static int put(struct conn *c, const char *data, size_t len) {
  if (c->out_len == c->out_at) {
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      close_conn(c);
      return -1;
    }
    if (n == (ssize_t)len) return 0;
    if (n > 0) {
      data += n;
      len -= (size_t)n;
    }
    c->out_len = c->out_at = 0;
  }
  if (c->out_len + len > c->out_cap) {
    c->out_cap = (c->out_len + len) * 2;
    c->out = grown(c->out, c->out_cap);
  }
  memcpy(c->out + c->out_len, data, len);
  c->out_len += len;
  watch(c, 1);
  return 0;
}

static void end_request(struct conn *c) {
  if (c->is_open) {
    c->is_open = 0;
    open_requests--;
  }
}

static int put_small(struct conn *c, const char *type, const char *body) {
  char text[4096];
  int n = snprintf(text, sizeof text,
                   "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type,
                   strlen(body), body);
  return put(c, text, (size_t)n);
}

static int answer_get(struct conn *c, const char *path) {
  char body[512];
  if (strncmp(path, "/v1/models", 10) == 0) {
    return put_small(c, "application/json",
                     "{\"object\":\"list\",\"data\":[{\"id\":\"bench-model\",\"object\":\"model\","
                     "\"created\":1700000000,\"owned_by\":\"vllm\",\"root\":\"bench-model\","
                     "\"max_model_len\":131072}]}");
  }
  if (strncmp(path, "/stats", 6) == 0) {
    snprintf(body, sizeof body, "{\"open\":%ld,\"requests\":%ld,\"aborts\":%ld,\"streams\":%ld}",
             open_requests, requests, aborts, streams);
    return put_small(c, "application/json", body);
  }
  if (strncmp(path, "/version", 8) == 0) {
    return put_small(c, "application/json", "{\"version\":\"0.0.0\"}");
  }
  return put_small(c, "application/json", "{}");
}

static long number_after(const char *body, size_t len, const char *key, long fallback) {
  const char *found = memmem(body, len, key, strlen(key));
  if (found == NULL) return fallback;
  return strtol(found + strlen(key), NULL, 10);
}

static const char stream_head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

static int start_stream(struct conn *c, const char *body, size_t len) {
  streams++;
  c->state = STREAMING;
  c->head_sent = 0;
  c->chunk_no = 0;
  c->chunks_left = number_after(body, len, "\"max_tokens\":", 64);
  c->interval_ns = (uint64_t)number_after(body, len, "\"seed\":", 20) * 1000000u;
  long wait = number_after(body, len, "\"presence_penalty\":", 0);
  c->due_ns = now_ns() + (uint64_t)wait * 100000000u;
  c->stream_slot = streaming_count;
  streaming[streaming_count++] = c;
  return 0;
}

// One event of about 240 bytes in a chunked frame of its own, stamped when it is written.
static size_t write_event(char *into, uint64_t stamp, long number) {
  char event[512];
  int n = snprintf(event, sizeof event,
                   "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\","
                   "\"created\":1700000000,\"model\":\"bench-model\",\"choices\":[{\"index\":0,"
                   "\"delta\":{\"content\":\"@%020llu@ token %06ld of the answer\"},"
                   "\"finish_reason\":null}]}\n\n",
                   (unsigned long long)stamp, number);
  return (size_t)sprintf(into, "%x\r\n%s\r\n", n, event);
}

static int serve_requests(struct conn *c);

// Sends what is due of one stream. Returns -1 when the connection is gone.
static int step_stream(struct conn *c, uint64_t now) {
  char text[2048];
  size_t len = 0;
  if (!c->head_sent) {
    memcpy(text, stream_head, sizeof stream_head - 1);
    len = sizeof stream_head - 1;
    c->head_sent = 1;
  }
  if (c->chunks_left > 0) {
    len += write_event(text + len, now_ns(), c->chunk_no++);
    c->chunks_left--;
    c->due_ns += c->interval_ns;
    if (c->due_ns + 100000000u < now) c->due_ns = now;  // Never a burst after a long pause.
    return put(c, text, len);
  }
  static const char done[] =
      "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
      "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
      "\n\ndata: [DONE]\n\n";
  len += (size_t)sprintf(text + len, "%zx\r\n%s\r\n0\r\n\r\n", sizeof done - 1, done);
  leave_streaming(c);
  c->state = READING;
  end_request(c);
  if (put(c, text, len) < 0) return -1;
  return serve_requests(c);
}

// Length of the body that begins at `at`, or -1 while it is not complete.
static long body_length(struct conn *c, size_t at, size_t head_len) {
  char *head = c->in;
  long length = 0;
  int chunked = 0;
  for (char *line = head; line < head + head_len;) {
    char *end = memmem(line, (size_t)(head + head_len - line), "\r\n", 2);
    if (end == NULL) break;
    if (strncasecmp(line, "content-length:", 15) == 0) length = strtol(line + 15, NULL, 10);
    if (strncasecmp(line, "transfer-encoding:", 18) == 0) chunked = 1;
    line = end + 2;
  }
  if (!chunked) return c->in_len - at >= (size_t)length ? length : -1;
  char *rest = c->in + at;
  size_t left = c->in_len - at;
  if (left >= 5 && memcmp(rest, "0\r\n\r\n", 5) == 0) return 5;
  char *end = memmem(rest, left, "\r\n0\r\n\r\n", 7);
  return end == NULL ? -1 : (long)(end + 7 - rest);
}

// Answers every complete request in the buffer. Returns -1 when the connection is gone.
static int serve_requests(struct conn *c) {
  while (c->state == READING && c->in_len > 0) {
    if (!c->is_open && c->in[0] == 'P') {
      c->is_open = 1;
      open_requests++;
    }
    char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    size_t at = (size_t)(end + 4 - c->in);
    long length = body_length(c, at, at);
    if (length < 0) return 0;
    size_t whole = at + (size_t)length;
    int gone;
    if (c->in[0] == 'P') {
      requests++;
      const char *body = c->in + at;
      if (memmem(body, (size_t)length, "\"stream\":true", 13) != NULL) {
        gone = start_stream(c, body, (size_t)length);
      } else {
        end_request(c);
        gone = put(c, json_answer, json_answer_len);
      }
    } else {
      char *space = memchr(c->in, ' ', at);
      gone = answer_get(c, space == NULL ? "/" : space + 1);
    }
    if (gone < 0) return -1;
    memmove(c->in, c->in + whole, c->in_len - whole);
    c->in_len -= whole;
  }
  return 0;
}

static void read_conn(struct conn *c) {
  for (;;) {
    if (c->in_cap - c->in_len < 16384) {
      if (c->in_cap >= IN_MAX) {
        close_conn(c);
        return;
      }
      c->in_cap = c->in_cap == 0 ? 32768 : c->in_cap * 2;
      c->in = grown(c->in, c->in_cap);
    }
    size_t space = c->in_cap - c->in_len;
    ssize_t n = recv(c->fd, c->in + c->in_len, space, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      close_conn(c);
      return;
    }
    c->in_len += (size_t)n;
    if (serve_requests(c) < 0) return;
    if ((size_t)n < space) return;
  }
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= FDS_MAX) {
      close(fd);
      return;
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct conn *c = grown(NULL, sizeof *c);
    memset(c, 0, sizeof *c);
    c->fd = fd;
    c->stream_slot = -1;
    conns[fd] = c;
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP};
    e.data.fd = fd;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) die("epoll_ctl");
  }
}

static int listen_any(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof a;
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4096) < 0) die("listen");
  if (getsockname(fd, (struct sockaddr *)&a, &size) < 0) die("getsockname");
  printf(" %d", ntohs(a.sin_port));
  struct epoll_event e = {.events = EPOLLIN};
  e.data.fd = fd;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) die("epoll_ctl");
  is_listener[fd] = 1;
  return fd;
}

static void prepare_answer(void) {
  char body[513];
  int n = snprintf(body, sizeof body,
                   "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,"
                   "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                   "\"assistant\",\"content\":\"");
  static const char tail[] =
      "\"},\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":60,\"total_tokens\":260}}";
  size_t filler = 512 - (size_t)n - (sizeof tail - 1);
  memset(body + n, 'x', filler);
  memcpy(body + n + filler, tail, sizeof tail);
  json_answer_len = (size_t)sprintf(
      json_answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 512\r\n\r\n%s",
      body);
}

int main(int argc, char **argv) {
  int ports = argc > 1 ? atoi(argv[1]) : 1;
  if (ports < 1 || ports > PORTS_MAX) return 2;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {FDS_MAX, FDS_MAX};
  setrlimit(RLIMIT_NOFILE, &files);
  prepare_answer();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) die("epoll_create1");
  printf("listening");
  for (int i = 0; i < ports; i++) listen_any();
  printf("\n");
  fflush(stdout);
  struct epoll_event stdin_event = {.events = EPOLLIN};
  stdin_event.data.fd = 0;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &stdin_event);

  static struct epoll_event events[512];
  int some_due = 0;
  for (;;) {
    int wait_ms = streaming_count == 0 ? -1 : some_due ? 0 : 1;
    int n = epoll_wait(epoll_fd, events, 512, wait_ms);
    if (n < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == 0) return 0;
      if (is_listener[fd]) {
        accept_all(fd);
        continue;
      }
      struct conn *c = conns[fd];
      if (c == NULL) continue;
      if ((events[i].events & EPOLLOUT) && flush_out(c) < 0) continue;
      if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) read_conn(c);
    }
    uint64_t now = now_ns();
    for (int i = streaming_count - 1; i >= 0; i--) {
      // Stepping one stream may end it and move the last one into its place, which this loop has
      // already visited; it may also start the next request of the same connection at the end.
      if (i < streaming_count && streaming[i]->due_ns <= now) step_stream(streaming[i], now);
    }
    some_due = 0;
    for (int i = 0; i < streaming_count && !some_due; i++) some_due = streaming[i]->due_ns <= now;
  }
}
