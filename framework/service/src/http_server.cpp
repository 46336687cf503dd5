#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/unique_fd.hpp>
#include <reel/service/http_server.hpp>

namespace reel {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr std::size_t kMostBodyBytes = 1024;  // none of the requests has one
constexpr auto kPause = 100ms;  // before the next try where there is no descriptor or memory for a client

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response text_response(http::status status, const std::string& text) {
  Response response{status, 11};
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.body() = text + "\n";
  return response;
}

// A page of somebody else's that was pointed here by its name (DNS rebinding) shall not read what is for this
// machine alone: its requests name that page's host.
bool names_this_machine(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::string name(bracketed ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':')));
  in6_addr address{};
  return name == "localhost" || ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

std::string names_of(const HttpPages& pages) {
  std::string names;
  for (const auto& [path, page] : pages) names += (names.empty() ? "" : ", ") + path;
  return names;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const ListenAddress& address, const HttpPatience& patience);
  ~Impl();

  [[nodiscard]] const ListenAddress& address() const noexcept { return address_; }
  [[nodiscard]] int fd() const noexcept { return asked_.get(); }
  [[nodiscard]] bool asked();
  void give(HttpPages pages);

 private:
  class Client;
  using Pages = std::shared_ptr<const HttpPages>;

  void listen();
  void run();
  void accept();
  void accept_later();
  void tell_of(const std::exception& problem) const noexcept;
  void take(tcp::socket socket);
  [[nodiscard]] std::chrono::milliseconds client_time() const noexcept {
    return std::chrono::milliseconds(patience_.client_ms);
  }
  void refuse(tcp::socket& socket);
  [[nodiscard]] bool make_room();

  ListenAddress address_;
  const HttpPatience patience_;
  UniqueFd asked_;
  // All that follows belongs to the server's thread.
  Pages pages_;
  std::int64_t pages_ns_ = 0;
  std::list<Client*> clients_;  // oldest first
  asio::io_context io_;         // before the acceptor; destroys the clients, which use all above
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  bool accepting_ = false;  // or about to, after a pause
  std::thread thread_;
};

// One connection: held by what it waits for, gone with the last of that. (No coroutine: the ring's sanitizer
// build has a compiler without.)
class HttpServer::Impl::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Impl& server, tcp::socket socket)
      : server_(server),
        place_(server.clients_.insert(server.clients_.end(), this)),
        stream_(std::move(socket)),
        patience_(server.io_) {}
  ~Client() { server_.clients_.erase(place_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void read();
  void pages_came() { patience_.cancel(); }
  /// Whether it only held a place, and has left it now.
  bool leave_if_silent();

 private:
  void on_read(boost::system::error_code failed);
  void answer(const Request& request);
  [[nodiscard]] bool refused(const Request& request);
  void wait_for_pages();
  void give(const Pages& pages);
  void write(Response response);

  Impl& server_;
  const std::list<Client*>::iterator place_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kMostHeaderBytes + kMostBodyBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
  asio::steady_timer patience_;
  bool silent_ = true;  // its request has not come whole
};

void HttpServer::Impl::Client::read() {
  parser_.emplace();
  parser_->header_limit(kMostHeaderBytes);
  parser_->body_limit(kMostBodyBytes);
  silent_ = true;
  stream_.expires_after(server_.client_time());
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](boost::system::error_code failed, std::size_t) { self->on_read(failed); });
}

bool HttpServer::Impl::Client::leave_if_silent() {
  if (!silent_ || !stream_.socket().is_open()) return false;
  boost::system::error_code ignored;
  stream_.socket().close(ignored);
  return true;
}

void HttpServer::Impl::Client::on_read(boost::system::error_code failed) {
  silent_ = false;
  if (!failed) {
    answer(parser_->get());
  } else if (failed.category() == http::make_error_code(http::error::end_of_stream).category() &&
             failed != http::error::end_of_stream) {
    Response refusal = text_response(http::status::bad_request,
                                     "not a request that is understood here: " + failed.message());
    refusal.keep_alive(false);
    write(std::move(refusal));
  }
}

void HttpServer::Impl::Client::answer(const Request& request) {
  if (refused(request)) return;
  if (server_.pages_ && monotonic_ns() - server_.pages_ns_ < std::int64_t{kFreshMs} * 1'000'000)
    give(server_.pages_);
  else
    wait_for_pages();
}

bool HttpServer::Impl::Client::refused(const Request& request) {
  const auto host = request[http::field::host];
  if (server_.address_.loopback() && !names_this_machine({host.data(), host.size()})) {
    write(text_response(http::status::forbidden, "Answers to an address or localhost, not to the host \"" +
                                                     std::string(host) + "\"."));
    return true;
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response response = text_response(http::status::method_not_allowed, "Only GET and HEAD.");
    response.set(http::field::allow, "GET, HEAD");
    write(std::move(response));
    return true;
  }
  return false;
}

void HttpServer::Impl::Client::wait_for_pages() {
  patience_.expires_after(std::chrono::milliseconds(server_.patience_.owner_ms));
  patience_.async_wait([self = shared_from_this(), before_ns = server_.pages_ns_](boost::system::error_code) {
    self->give(self->server_.pages_ns_ != before_ns ? self->server_.pages_ : nullptr);
  });
  const std::uint64_t once = 1;
  (void)!::write(server_.asked_.get(), &once, sizeof once);
}

// nullptr where the owner made none in time.
void HttpServer::Impl::Client::give(const Pages& pages) {
  if (!pages) return write(text_response(http::status::service_unavailable, "The service does not answer."));
  const std::string target(parser_->get().target());
  const auto page = pages->find(target.substr(0, target.find('?')));
  if (page == pages->end())
    return write(text_response(http::status::not_found, "Here are " + names_of(*pages) + "."));
  Response response{static_cast<http::status>(page->second.status), 11};
  response.set(http::field::content_type, page->second.type);
  response.body() = page->second.body;
  write(std::move(response));
}

void HttpServer::Impl::Client::write(Response response) {
  const Request& request = parser_->get();
  const bool goes_on = request.keep_alive() && response.result() != http::status::bad_request;
  response_ = std::move(response);
  response_.set(http::field::server, "reel");
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  response_.keep_alive(goes_on);
  response_.prepare_payload();
  if (request.method() == http::verb::head) response_.body().clear();
  stream_.expires_after(server_.client_time());
  http::async_write(stream_, response_,
                    [self = shared_from_this(), goes_on](boost::system::error_code failed, std::size_t) {
                      if (!failed && goes_on) return self->read();
                      self->stream_.socket().shutdown(tcp::socket::shutdown_send, failed);
                    });
}

HttpServer::Impl::Impl(const ListenAddress& address, const HttpPatience& patience)
    : address_(address),
      patience_(patience),
      asked_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      acceptor_(io_),
      pause_(io_) {
  if (!asked_) throw_errno(errno, "making an eventfd for the pages of " + address.text());
  listen();
  accept();
  // Signals are the owner's: one that came to the server's thread would end the process.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

HttpServer::Impl::~Impl() {
  io_.stop();
  thread_.join();
}

void HttpServer::Impl::listen() {
  boost::system::error_code failed;
  const asio::ip::address host = asio::ip::make_address(address_.host, failed);
  if (failed)
    throw Error(ErrorCode::bad_config, fmt::format("\"{}\" is no IP address to listen at", address_.host));
  const tcp::endpoint endpoint(host, address_.port);
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) {
    (void)::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
    acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
  }
  if (!failed) acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed == asio::error::address_in_use)
    throw Error(
        ErrorCode::in_use,
        fmt::format("{} is held by another process (`ss -ltnp` names it): stop it, or listen at another "
                    "port (0: any free one)",
                    address_.text()));
  if (failed == asio::error::access_denied)
    throw Error(
        ErrorCode::no_permission,
        fmt::format("listening at {} needs privileges: take a port of 1024 or more", address_.text()));
  if (failed)
    throw Error(ErrorCode::io, fmt::format("listening at {}: {}", address_.text(), failed.message()));
  address_.port = acceptor_.local_endpoint(failed).port();
}

void HttpServer::Impl::run() {
  const auto busy = asio::make_work_guard(io_);  // also while accepting failed
  while (!io_.stopped()) {
    try {
      if (!accepting_) accept();
      io_.run();
    } catch (const std::exception& problem) {  // of one connection; the others go on
      tell_of(problem);
      std::this_thread::sleep_for(kPause);  // what memory is short for is short for all
    }
  }
}

void HttpServer::Impl::tell_of(const std::exception& problem) const noexcept {
  try {
    log_warning(fmt::format("{}: {}", address_.text(), problem.what()));
  } catch (const std::exception&) {
    log_warning("no memory for who asks how the pipeline does");
  }
}

bool HttpServer::Impl::asked() {
  std::uint64_t times = 0;
  return ::read(asked_.get(), &times, sizeof times) == sizeof times;
}

void HttpServer::Impl::give(HttpPages pages) {
  asio::post(io_, [this, given = std::make_shared<const HttpPages>(std::move(pages))] {
    pages_ = given;
    pages_ns_ = monotonic_ns();
    for (Client* client : clients_) client->pages_came();
  });
}

// Whatever throws in a handler, or before it is waited for, run() begins again.
void HttpServer::Impl::accept() {
  acceptor_.async_accept([this](boost::system::error_code failed, tcp::socket socket) {
    accepting_ = false;
    if (failed) return accept_later();  // no descriptors left, say: those open will close
    accept();
    take(std::move(socket));
  });
  accepting_ = true;
}

void HttpServer::Impl::accept_later() {
  pause_.expires_after(kPause);
  pause_.async_wait([this](boost::system::error_code) {
    accepting_ = false;
    accept();
  });
  accepting_ = true;
}

void HttpServer::Impl::take(tcp::socket socket) {
  (void)::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  if (clients_.size() >= kMostClients && !make_room())
    refuse(socket);
  else
    std::make_shared<Client>(*this, std::move(socket))->read();
}

void HttpServer::Impl::refuse(tcp::socket& socket) {
  static constexpr std::string_view kFull =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 18\r\n\r\ntoo many "
      "clients.\n";
  boost::system::error_code failed;
  socket.non_blocking(true, failed);
  socket.write_some(asio::buffer(kFull), failed);
  socket.shutdown(tcp::socket::shutdown_send, failed);
}

// Of those that have a place and no request, the oldest goes: who only holds places keeps nobody out.
bool HttpServer::Impl::make_room() {
  for (Client* client : clients_)
    if (client->leave_if_silent()) return true;
  return false;
}

HttpServer::HttpServer(const ListenAddress& address, const HttpPatience& patience)
    : impl_(std::make_unique<Impl>(address, patience)) {}

HttpServer::~HttpServer() = default;

const ListenAddress& HttpServer::address() const noexcept {
  return impl_->address();
}

int HttpServer::fd() const noexcept {
  return impl_->fd();
}

bool HttpServer::asked() {
  return impl_->asked();
}

void HttpServer::give(HttpPages pages) {
  impl_->give(std::move(pages));
}

}  // namespace reel
