#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"

namespace holdfast::bench {

/// A TCP connection to a server. What cannot be done throws std::runtime_error, which says what was lost.
class Socket {
 public:
  /// Connects. Nothing, neither this nor a send, waits for longer than `patience`.
  Socket(const Endpoint& endpoint, milliseconds patience);
  /// Takes over a connection, and closes it in the end.
  explicit Socket(int connected) : descriptor_(connected) {}
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Waits until the kernel has all of it.
  void send(std::string_view bytes);
  /// Returns: what has arrived, empty if nothing; it holds until the next call of any socket of this thread.
  std::string_view receive();
  /// Waits for something to arrive, or for the end of the connection. Returns: whether it came.
  bool wait(milliseconds at_most);
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

/// What is spoken with one server over a socket. Both may throw std::runtime_error: the connection is lost.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Sends what was gathered.
  virtual void flush() = 0;
  /// Takes what has arrived and hands it out; whoever is told may ask for more, which is gathered.
  virtual void receive() = 0;
  virtual int descriptor() const = 0;

 protected:
  /// There is something to flush.
  void gathered() {
    if (unflushed_ == nullptr || listed_) return;
    listed_ = true;
    unflushed_->push_back(this);
  }

 private:
  friend class Connections;
  std::vector<Connection*>* unflushed_ = nullptr;  // of the Connections that it is added to
  bool listed_ = false;
};

/// The connections of one thread.
class Connections {
 public:
  Connections();
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// It must outlive this.
  void add(Connection& connection);
  /// Flushes those that gathered something, waits until something arrives and lets those receive that it
  /// arrived for.
  void turn(milliseconds at_most);

 private:
  std::vector<Connection*> unflushed_;
  std::vector<Connection*> flushing_;  // in this turn
  const int poll_;
};

}  // namespace holdfast::bench
