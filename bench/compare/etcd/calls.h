#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

/// gRPC's completion queue as continuations: what comes out of the queue is one of these, and is told.
namespace holdfast::bench::etcd {

class Awaited {
 public:
  virtual ~Awaited() = default;
  virtual void complete(bool good) = 0;
};

inline constexpr std::chrono::seconds kCallTimeout{10};

/// One call that has one answer. Owned by the completion queue from start() to its end.
template <typename Reply>
class Call final : public Awaited {
 public:
  using Then = std::function<void(const grpc::Status&, Reply&)>;

  /// `prepare`: the stub's PrepareAsync method, called with the context.
  template <typename Prepare>
  static void start(Prepare prepare, Then then) {
    auto call = std::make_unique<Call>();
    call->then_ = std::move(then);
    call->context_.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    call->reader_ = prepare(&call->context_);
    call->reader_->StartCall();
    Call* tag = call.release();
    tag->reader_->Finish(&tag->reply_, &tag->status_, static_cast<Awaited*>(tag));
  }
  void complete(bool) override {
    const std::unique_ptr<Call> self(this);
    then_(status_, reply_);
  }

 private:
  grpc::ClientContext context_;
  Reply reply_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Reply>> reader_;
  Then then_;
};

/// A stream of requests and a stream of answers. It must outlive what the completion queue holds of it:
/// cancel it, then drain the queue.
template <typename Request, typename Reply>
class Stream {
 public:
  using Stub = grpc::ClientAsyncReaderWriter<Request, Reply>;
  /// Told each answer; nullptr: the stream has ended.
  using OnReply = std::function<void(Reply*)>;

  template <typename Prepare>
  Stream(Prepare prepare, OnReply on_reply) : on_reply_(std::move(on_reply)), stub_(prepare(&context_)) {
    stub_->StartCall(&started_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void cancel() { context_.TryCancel(); }
  void send(Request request) {
    outgoing_.push_back(std::move(request));
    write_next();
  }

 private:
  struct Event final : Awaited {
    Event(Stream* owner, void (Stream::*method)(bool)) : stream(owner), then(method) {}
    void complete(bool good) override { (stream->*then)(good); }
    Stream* stream;
    void (Stream::*then)(bool);
  };

  void on_started(bool good) {
    if (!good) return on_reply_(nullptr);
    open_ = true;
    stub_->Read(&reply_, &read_);
    write_next();
  }
  void on_read(bool good) {
    on_reply_(good ? &reply_ : nullptr);
    if (good) stub_->Read(&reply_, &read_);
  }
  void on_written(bool good) {
    writing_ = false;
    if (good) write_next();
  }
  void write_next() {
    if (!open_ || writing_ || outgoing_.empty()) return;
    writing_ = true;
    stub_->Write(outgoing_.front(), &written_);
    outgoing_.pop_front();
  }

  grpc::ClientContext context_;
  OnReply on_reply_;
  Reply reply_;
  std::deque<Request> outgoing_;
  bool open_ = false;
  bool writing_ = false;
  Event started_{this, &Stream::on_started};
  Event read_{this, &Stream::on_read};
  Event written_{this, &Stream::on_written};
  std::unique_ptr<Stub> stub_;
};

}  // namespace holdfast::bench::etcd
