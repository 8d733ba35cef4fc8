#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// The other side of an HTTP/2 connection: it keeps what it is asked, and answers as a test says.
class Http2Server {
 public:
  struct Request {
    std::int32_t stream = 0;
    std::string path;
    std::string body;
    bool ended = false;
  };

  /// `connected`: nobody else reads from it or closes it before.
  explicit Http2Server(int connected);
  ~Http2Server();
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  /// Takes what has arrived and sends what it can.
  void turn();
  const std::vector<Request>& requests() const { return requests_; }

  using Headers = std::vector<std::pair<std::string, std::string>>;
  /// A head, `body`, and trailers.
  void answer(std::int32_t stream, std::string body, const Headers& trailers);
  /// A head and `body`; more follows with tell().
  void begin(std::int32_t stream, std::string body);
  void tell(std::int32_t stream, const std::string& more);
  /// Nothing but a head.
  void answer_head(std::int32_t stream, const Headers& headers);
  void reset(std::int32_t stream, std::uint32_t code);
  void go_away();
  void close();

 private:
  struct Body {
    std::string rest;
    Headers trailers;
    bool last = false;
  };
  struct Callbacks;

  int descriptor_;
  std::string outgoing_;
  std::vector<Request> requests_;
  std::map<std::int32_t, Body> bodies_;
  const std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)> session_;
};
