#include "loan.hpp"

#include "buffer.hpp"
#include "errors.hpp"

namespace reel::python {

namespace py = pybind11;

HeldLoan::HeldLoan(Loan loan, std::shared_ptr<WriterShare> writer)
    : loan_(std::move(loan)), writer_(std::move(writer)), pid_(::getpid()) {}

HeldLoan::~HeldLoan() {
  if (foreign())
    (void)std::make_unique<Loan>(std::move(loan_))
        .release();  // its memory is not here: nothing to give back to
  else if (loan_ && writer_->in_use)
    writer_->dropped.push_back(std::move(loan_));
}

void HeldLoan::make_read_only() {
  for (const py::weakref& view : views_) {
    const py::object array = view();
    if (!array.is_none()) array.attr("setflags")(py::arg("write") = false);
  }
}

HeldLoan& PyLoan::held() const {
  if (!held_) throw Error(ErrorCode::closed, "the loan was published or cancelled");
  if (held_->foreign()) throw_forked("the loan's writer");
  return *held_;
}

Payload PyLoan::payload() const {
  Loan& loan = held().loan();
  const std::span<std::byte> bytes = loan.data();
  return {loan.format(), loan.layout(), bytes.data(), bytes.size(), held_, true};
}

py::array PyLoan::watched(py::array view) const {
  held_->watch(view);
  return view;
}

py::array PyLoan::array() const {
  return watched(array_of(payload()));
}

py::tuple PyLoan::planes() const {
  py::tuple planes = planes_of(payload());
  for (const py::handle plane : planes) held_->watch(py::reinterpret_borrow<py::array>(plane));
  return planes;
}

py::array PyLoan::data() const {
  return watched(bytes_of(payload()));
}

void PyLoan::copy_from(const py::object& source) const {
  Loan& loan = this->loan();
  const Buffer buffer(source);
  bool fits = false;
  {
    const Use use(held_->writer()->in_use, "the writer of the stream \"" + held_->writer()->stream + "\"");
    const py::gil_scoped_release release;
    fits = loan.copy_from(buffer.bytes());
  }
  if (!fits)
    throw StatusError("too_large",
                      std::to_string(buffer.bytes().size()) + " bytes do not fit the loan's slot of " +
                          std::to_string(loan.capacity()) + ": acquire as many",
                      held_->writer()->stream);
}

void bind_loan(py::module_& module) {
  py::class_<PyLoan>(module, "Loan", "A slot to fill: its arrays are the shared memory itself.")
      .def_property_readonly("array", &PyLoan::array)
      .def_property_readonly("planes", &PyLoan::planes)
      .def_property_readonly("data", &PyLoan::data)
      .def_property_readonly("format", [](const PyLoan& self) { return self.loan().format(); })
      .def_property_readonly("size", [](const PyLoan& self) { return self.loan().size(); })
      .def_property_readonly("capacity", [](const PyLoan& self) { return self.loan().capacity(); })
      .def_property_readonly("open", &PyLoan::open)
      .def(
          "set_size",
          [](const PyLoan& self, std::size_t size_bytes) {
            if (self.loan().set_size(size_bytes)) return;
            throw StatusError("too_large",
                              std::to_string(size_bytes) + " bytes do not fit the loan's slot of " +
                                  std::to_string(self.loan().capacity()),
                              self.held().writer()->stream);
          },
          py::arg("size_bytes"), "How much of the slot the frame is.")
      .def("copy_from", &PyLoan::copy_from, py::arg("source"),
           "Copies and hashes a contiguous buffer in one pass; sets the size.")
      .def("cancel", &PyLoan::let_go, "Gives the slot back once no array of it is left.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](PyLoan& self, const py::args&) { self.let_go(); });
}

}  // namespace reel::python
