// The extension module reel._reel: what framework/channel has, for the Python package around it.
#include <pybind11/pybind11.h>

#include <reel/base/log.hpp>

#include "errors.hpp"
#include "format.hpp"
#include "frame.hpp"
#include "loan.hpp"
#include "reader.hpp"
#include "writer.hpp"

PYBIND11_MODULE(_reel, module) {
  namespace python = reel::python;
  module.doc() = "Reel's streams; import the package reel instead.";
  python::translate_errors();
  python::bind_format(module);
  python::bind_frame(module);
  python::bind_loan(module);
  python::bind_reader(module);
  python::bind_writer(module);
  module.def(
      "log_for_supervisor",
      [] {
        reel::configure_logging({reel::LogStyle::relay, reel::LogLevel::info, {}});
      },
      "The library's own log in the form that `reel run` parses; before the first Reader or Writer.");
}
