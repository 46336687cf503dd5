#include "use.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include <pybind11/pybind11.h>

#include <reel/base/error.hpp>

namespace reel::python {
namespace {

namespace py = pybind11;

// Signals are for Python's own threads.
std::thread thread_without_signals(const std::function<void()>& work) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(work);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

void throw_forked(const std::string& what) {
  throw Error(
      ErrorCode::unsupported,
      what +
          " was opened by the process that this one was forked from, and its memory is not here: open it "
          "after the fork, or start processes with multiprocessing.get_context(\"spawn\")");
}

Use::Use(bool& in_use, const std::string& what) : in_use_(in_use) {
  if (in_use)
    throw Error(ErrorCode::in_use, what + " is being used by another thread: it is for one at a time");
  in_use_ = true;
}

void check_signals() {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void run_interruptibly(const std::function<void()>& work, const std::function<void()>& stop) {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  std::thread worker = thread_without_signals([&] {
    work();
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  });
  const auto join = [&] {
    const py::gil_scoped_release release;
    worker.join();
  };
  for (;;) {
    {
      const py::gil_scoped_release release;
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::milliseconds(kSignalSlice_ms), [&] { return done; });
    }
    if (done) return join();
    if (PyErr_CheckSignals() == 0) continue;
    const py::error_already_set raised;  // before anything else may run Python
    stop();
    join();
    throw raised;  // NOLINT: error_already_set is copied
  }
}

}  // namespace reel::python
