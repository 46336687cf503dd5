// reel.Loan of Python: a slot that is being filled. Its arrays keep it: dropped unpublished it goes back with
// the last of them; a published one is its readers', but is not used again before its arrays are gone.
// Private to the module; called with the GIL held.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <pybind11/pybind11.h>

#include <reel/channel/frame_writer.hpp>

#include "use.hpp"
#include "views.hpp"

namespace reel::python {

/// What a writer shares with its loans, which may be dropped in any thread.
struct WriterShare {
  std::string stream;
  bool in_use = false;          // a thread is in a call of the writer, perhaps without the GIL
  std::vector<Loan> dropped{};  // meanwhile: given back when the call is over
};

class HeldLoan {
 public:
  HeldLoan(Loan loan, std::shared_ptr<WriterShare> writer);
  HeldLoan(const HeldLoan&) = delete;
  HeldLoan& operator=(const HeldLoan&) = delete;
  ~HeldLoan();

  [[nodiscard]] Loan& loan() noexcept { return loan_; }
  [[nodiscard]] const std::shared_ptr<WriterShare>& writer() const noexcept { return writer_; }
  [[nodiscard]] bool foreign() const noexcept { return pid_ != ::getpid(); }
  /// An array was handed out: made read-only once the loan is published.
  void watch(const pybind11::array& view) { views_.push_back(pybind11::weakref(view, pybind11::handle())); }
  void make_read_only();

 private:
  Loan loan_;
  std::shared_ptr<WriterShare> writer_;
  pid_t pid_;
  std::vector<pybind11::weakref> views_;
};

class PyLoan {
 public:
  explicit PyLoan(std::shared_ptr<HeldLoan> held) : held_(std::move(held)) {}

  /// Throws Error{closed} when it was published or cancelled, Error{unsupported} in a forked child.
  [[nodiscard]] HeldLoan& held() const;
  [[nodiscard]] Loan& loan() const { return held().loan(); }
  [[nodiscard]] bool open() const noexcept { return held_ != nullptr; }
  /// Arrays of it are about.
  [[nodiscard]] bool viewed() const noexcept { return held_.use_count() > 1; }
  void let_go() noexcept { held_.reset(); }

  [[nodiscard]] pybind11::array array() const;
  [[nodiscard]] pybind11::tuple planes() const;
  [[nodiscard]] pybind11::array data() const;
  void copy_from(const pybind11::object& source) const;

 private:
  [[nodiscard]] Payload payload() const;
  [[nodiscard]] pybind11::array watched(pybind11::array view) const;

  std::shared_ptr<HeldLoan> held_;  // shared with its arrays
};

void bind_loan(pybind11::module_& module);

}  // namespace reel::python
