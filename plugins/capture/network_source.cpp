#include "network_source.hpp"

#include "failure.hpp"

#include <gst/base/gstbasesrc.h>

namespace capture {

namespace {

using reel::Error;
using reel::ErrorCode;

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + by.size()))
    text.replace(at, part.size(), by);
  return text;
}

}  // namespace

void NetworkSource::set_user(GstElement* element) const {
  if (address_.user.empty()) return;
  g_object_set(element, "user-id", address_.user.c_str(), "user-pw", address_.password.c_str(), nullptr);
}

std::string NetworkSource::cleaned(std::string text) const {
  return without_secret(replaced(std::move(text), address_.uri, uri()), address_.password);
}

Error NetworkSource::error_of(GstMessage* message) const {
  const std::string text = "\"" + uri() + "\": ";
  const Reason reason = read_reason(message);
  const std::string detail = cleaned(reason.text);
  if (reason.is(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
    return Error(is_camera() ? ErrorCode::no_permission : ErrorCode::bad_config,
                 text +
                     (address_.user.empty()
                          ? "the server asks for a user name and password: give them in the options user "
                            "and password, or password_file"
                          : "the server refuses the user name \"" + address_.user +
                                "\" or its password: check the options user, password and password_file") +
                     " [" + detail + "]");
  if (reason.is(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND))
    return Error(is_camera() ? ErrorCode::not_found : ErrorCode::bad_config,
                 text + "nothing is there: check the option uri, and that the server runs [" + detail + "]");
  // What souphttpsrc says when it cannot go on where the server hung up.
  if (reason.is(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SEEK))
    return Error(ErrorCode::closed, text + "the server has hung up [" + detail + "]");
  // souphttpsrc stops without a reason where nobody listens.
  const bool source_stopped = reason.is(GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED) &&
                              GST_IS_BASE_SRC(GST_MESSAGE_SRC(message)) != FALSE;
  if (reason.domain == GST_RESOURCE_ERROR || source_stopped)
    return Error(ErrorCode::io,
                 text + "cannot be reached: check the option uri, and that the server runs [" + detail + "]");
  return Error(ErrorCode::io, text + detail);
}

}  // namespace capture
