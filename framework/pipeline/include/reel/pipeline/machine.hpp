// What a pipeline asks for that this machine lacks, as it is now. `reel check` warns of it, since a file may
// be for another machine; `reel run` refuses processors that are not there. Thread-safe; reads the file
// system.
#pragma once

#include <string>
#include <vector>

#include <reel/pipeline/graph.hpp>

namespace reel {

struct Lack {
  std::string where;  // file and line of the stage
  std::string text;
};

/// How many processors there are, whether in use or not.
[[nodiscard]] int machine_cpus() noexcept;

/// Of stages bound to processors beyond the first `cpus`.
[[nodiscard]] std::vector<Lack> missing_cpus(const Graph& graph, int cpus = machine_cpus());

/// Of exec stages whose program is not found, where it is a list of words. (What a shell would say of a line
/// is known when it runs.)
[[nodiscard]] std::vector<Lack> missing_programs(const Graph& graph);

/// Of gst stages whose launch line names an element that is not here, or of all of them where Reel was built
/// without GStreamer. Each line is parsed by GStreamer, in a process of its own, nothing is played. Throws
/// Error{bad_config} for a line that is wrong on every machine.
[[nodiscard]] std::vector<Lack> missing_elements(const Graph& graph);

}  // namespace reel
