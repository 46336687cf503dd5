// reel.Format of Python. Private to the module; called with the GIL held.
#pragma once

#include <pybind11/pybind11.h>

namespace reel::python {

void bind_format(pybind11::module_& module);

}  // namespace reel::python
