// Side data of frames as dicts, one an entry, both ways. Private to the module; called with the GIL held.
#pragma once

#include <pybind11/pybind11.h>

#include <reel/format/side_data.hpp>

namespace reel::python {

/// A list of dicts, each with "type" and "name" beside its own keys.
[[nodiscard]] pybind11::list dicts_of(const SideDataView& side_data);

/// Appends what dicts_of() makes. Throws Error{bad_argument} for a dict of another form and
/// StatusError{too_large} where it does not fit; `stream` is named in the message.
void add_dict(SideDataWriter& writer, const pybind11::dict& entry, const std::string& stream);
/// Every entry of a frame as it is; throws as above.
void add_all(SideDataWriter& writer, const SideDataView& side_data, const std::string& stream);

}  // namespace reel::python
