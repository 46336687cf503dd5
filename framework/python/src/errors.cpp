#include "errors.hpp"

namespace reel::python {
namespace {

namespace py = pybind11;

void raise(const char* type, std::string_view code, const std::string& message, const std::string& where) {
  const py::object made = py::module_::import("reel._errors").attr(type)(code, message, where);
  PyErr_SetObject(py::type::handle_of(made).ptr(), made.ptr());
}

}  // namespace

void translate_errors() {
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      raise("Error", to_string(error.code()), error.message(), error.where());
    } catch (const StatusError& error) {
      raise(error.code() == "ended" ? "Ended" : "Error", error.code(), error.what(), error.where());
    }
  });
}

}  // namespace reel::python
