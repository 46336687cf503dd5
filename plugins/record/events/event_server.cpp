#include "events/event_server.hpp"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "events/event_address.hpp"
#include "events/event_socket.hpp"

namespace record {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response json_response(http::status status, std::string body) {
  Response response{status, 11};
  response.set(http::field::content_type, "application/json");
  response.body() = std::move(body) + "\n";
  return response;
}

Response refusal(http::status status, const std::string& why) {
  return json_response(
      status, nlohmann::json{{"error", why}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string_view field(const Request& request, http::field name) {
  const auto value = request[name];
  return {value.data(), value.size()};
}

}  // namespace

class EventServer::Impl {
 public:
  Impl(Settings settings, EventDesk& desk);
  ~Impl();
  void run();
  [[nodiscard]] std::string url() const;

 private:
  // Counts a connection for as long as it lives.
  struct Place {
    explicit Place(std::size_t& count) : used(count) { ++used; }
    ~Place() { --used; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::size_t& used;
  };

  void listen_by_http();
  template <class Protocol>
  asio::awaitable<void> accept(asio::basic_socket_acceptor<Protocol>& acceptor);
  template <class Protocol>
  asio::awaitable<void> serve(asio::basic_stream_socket<Protocol> socket);
  [[nodiscard]] std::optional<Response> objection(const Request& request, bool local) const;
  [[nodiscard]] Response answer(const Request& request);
  [[nodiscard]] Response post(const std::string& body);

  Settings settings_;
  EventDesk& desk_;
  std::size_t connections_ = 0;
  asio::io_context io_;  // before the acceptors; destroys the coroutines, which use all above
  asio::basic_socket_acceptor<Local> local_;
  tcp::acceptor http_;
  std::thread thread_;
};

EventServer::Impl::Impl(Settings settings, EventDesk& desk)
    : settings_(std::move(settings)), desk_(desk), local_(io_), http_(io_) {
  if (!settings_.http.empty()) listen_by_http();
  local_.assign(Local(), listen_for_events(settings_.directory, desk_.recording()).release());
}

EventServer::Impl::~Impl() {
  forget_event_socket(settings_.directory, desk_.recording());
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void EventServer::Impl::listen_by_http() {
  const HttpAddress wanted = http_address_from(settings_.http, settings_.http_token);
  const tcp::endpoint endpoint(asio::ip::make_address(wanted.address), wanted.port);
  boost::system::error_code failed;
  http_.open(endpoint.protocol(), failed);
  if (!failed) http_.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) http_.bind(endpoint, failed);
  if (!failed) http_.listen(asio::socket_base::max_listen_connections, failed);
  if (!failed) return;
  const bool taken = failed == asio::error::address_in_use;
  throw reel::Error(
      taken ? reel::ErrorCode::in_use : reel::ErrorCode::io,
      fmt::format("listening on {} for events: {}: set `http` to another port (0: any free one)",
                  settings_.http, failed.message()));
}

std::string EventServer::Impl::url() const {
  if (!http_.is_open()) return {};
  boost::system::error_code failed;
  const tcp::endpoint endpoint = http_.local_endpoint(failed);
  const std::string host = endpoint.address().to_string();
  return fmt::format("http://{}:{}", endpoint.address().is_v6() ? "[" + host + "]" : host, endpoint.port());
}

void EventServer::Impl::run() {
  asio::co_spawn(io_, accept(local_), asio::detached);
  if (http_.is_open()) asio::co_spawn(io_, accept(http_), asio::detached);
  thread_ = std::thread([this] {
    while (!io_.stopped()) {
      try {
        io_.run();
      } catch (const std::exception& problem) {  // of one connection; the others go on
        reel::log_warning(fmt::format("events: {}", problem.what()));
      }
    }
  });
}

template <class Protocol>
asio::awaitable<void> EventServer::Impl::accept(asio::basic_socket_acceptor<Protocol>& acceptor) {
  while (true) {
    boost::system::error_code failed;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (failed) {  // no descriptors left, say: those open will close
      asio::steady_timer pause(io_, std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failed));
      continue;
    }
    if (connections_ < kMaxConnections) asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
  }
}

template <class Protocol>
asio::awaitable<void> EventServer::Impl::serve(asio::basic_stream_socket<Protocol> socket) {
  constexpr bool kLocal = std::is_same_v<Protocol, Local>;
  const Place place(connections_);
  if (kLocal && !peer_is_trusted(socket.native_handle())) co_return;
  const std::chrono::milliseconds patience(settings_.patience_ms);
  beast::basic_stream<Protocol> stream(std::move(socket));
  beast::flat_buffer buffer(kMaxHeaderBytes + kMaxBodyBytes);
  http::request_parser<http::string_body> parser;
  parser.header_limit(kMaxHeaderBytes);
  parser.body_limit(kMaxBodyBytes);
  boost::system::error_code failed;
  stream.expires_after(patience);
  co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
  if (failed == http::error::end_of_stream || failed == beast::error::timeout) co_return;
  Response response;
  if (failed == http::error::body_limit || failed == http::error::header_limit) {
    response = refusal(http::status::payload_too_large,
                       fmt::format("a request has {} bytes of headers and {} of body at most",
                                   kMaxHeaderBytes, kMaxBodyBytes));
  } else if (failed) {
    response = refusal(http::status::bad_request, "not a request: " + failed.message());
  } else {
    auto objected = objection(parser.get(), kLocal);
    response = objected ? std::move(*objected) : answer(parser.get());
  }
  response.set(http::field::server, "reel");
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.keep_alive(false);
  response.prepare_payload();
  stream.expires_after(patience);
  co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, failed));
  stream.socket().shutdown(asio::socket_base::shutdown_send, failed);
  // What it still sends is read, so that the answer is not lost with a reset; as long as patience goes.
  while (!failed) {
    buffer.clear();
    co_await stream.async_read_some(buffer.prepare(1024), asio::redirect_error(asio::use_awaitable, failed));
  }
}

std::optional<Response> EventServer::Impl::objection(const Request& request, bool local) const {
  if (local) return std::nullopt;
  if (!settings_.http_token.empty()) {
    if (bears(field(request, http::field::authorization), settings_.http_token)) return std::nullopt;
    Response response =
        refusal(http::status::unauthorized, "the header Authorization: Bearer TOKEN is needed");
    response.set(http::field::www_authenticate, "Bearer");
    return response;
  }
  if (!host_is_own(field(request, http::field::host)))
    return refusal(http::status::forbidden, "ask for an address or localhost, not for a name");
  return std::nullopt;
}

Response EventServer::Impl::answer(const Request& request) {
  const std::string_view target(request.target().data(), request.target().size());
  if (target == "/events" && request.method() == http::verb::get)
    return json_response(http::status::ok, desk_.events_json());
  if (target == "/event" && request.method() == http::verb::post) {
    // Browsers send no other page's JSON here without asking first, which is not answered.
    if (!field(request, http::field::content_type).starts_with("application/json"))
      return refusal(http::status::unsupported_media_type,
                     "the header Content-Type: application/json is needed");
    return post(request.body());
  }
  if (target != "/event" && target != "/events")
    return refusal(http::status::not_found, "here are POST /event and GET /events");
  Response response = refusal(http::status::method_not_allowed, "here are POST /event and GET /events");
  response.set(http::field::allow, target == "/event" ? "POST" : "GET");
  return response;
}

Response EventServer::Impl::post(const std::string& body) {
  try {
    if (desk_.post(event_call_from(body), reel::monotonic_ns()))
      return json_response(http::status::accepted,
                           nlohmann::json{{"recording", desk_.recording()}, {"accepted", true}}.dump());
  } catch (const reel::Error& error) {
    return refusal(http::status::bad_request, error.message());
  }
  Response response =
      refusal(http::status::service_unavailable,
              fmt::format("{} calls wait already: the recorder does not take them", EventDesk::kMostCalls));
  response.set(http::field::retry_after, "1");
  return response;
}

EventServer::EventServer(Settings settings, EventDesk& desk)
    : impl_(std::make_unique<Impl>(std::move(settings), desk)) {
  impl_->run();
}

EventServer::~EventServer() = default;

std::string EventServer::url() const {
  return impl_->url();
}

}  // namespace record
