// How a failure becomes reel.Error of Python: every function here that throws, throws with the GIL held.
// Private to the module.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <pybind11/pybind11.h>

#include <reel/base/error.hpp>

namespace reel::python {

/// A failure whose code is a status rather than an ErrorCode: "too_many_held", "interrupted", "ended" (which
/// Python sees as reel.Ended).
class StatusError final : public std::exception {
 public:
  StatusError(std::string_view code, std::string message, std::string where)
      : code_(code), message_(std::move(message)), where_(std::move(where)) {}
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] const std::string& code() const noexcept { return code_; }
  [[nodiscard]] const std::string& where() const noexcept { return where_; }

 private:
  std::string code_;
  std::string message_;
  std::string where_;
};

/// Makes reel::Error and StatusError arrive as reel.Error.
void translate_errors();

}  // namespace reel::python
