// What has to be done so that a pipeline that runs one graph runs another. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <reel/pipeline/graph.hpp>

namespace reel {

/// The index of a stage that is present. Throws Error{not_found} naming those there are.
[[nodiscard]] std::size_t find_stage(const Graph& graph, const std::vector<bool>& present,
                                     const std::string& name);

/// What `file` says, for a pipeline that runs `running`. Throws Error{bad_config}: as load_pipeline and
/// build_graph, for another pipeline's name, and for processors that this machine lacks.
[[nodiscard]] Graph load_successor(const Graph& running, const std::string& file,
                                   const std::vector<std::string>& overrides);

struct GraphChange {
  struct Kept {
    std::size_t before, after;  // its indices
    std::string restart;        // what of it differs so that its process must be another one; empty: nothing
  };
  std::vector<Kept> kept;            // stages of both, by their names
  std::vector<std::size_t> removed;  // indices before
  std::vector<std::size_t> added;    // indices after
};

/// A stage whose readers have become others, or that has other rules for its restarts, goes on as it is. One
/// that differs and has ended is removed and added: no process of it could go on. `present[i]`: whether the
/// stage `i` of `before` still counts; `ended[i]`: whether it has come to its end.
[[nodiscard]] GraphChange compare(const Graph& before, const std::vector<bool>& present,
                                  const std::vector<bool>& ended, const Graph& after);

/// A line for each stage that is touched or told other rules, and for other timeouts of the pipeline.
[[nodiscard]] std::vector<std::string> describe(const GraphChange& change, const Graph& before,
                                                const Graph& after);

/// Makes `running` what `after` is, while its stages keep their indices: those removed stay in their places,
/// not present; those added come behind all others.
void merge(const GraphChange& change, Graph& running, std::vector<bool>& present, Graph after);

}  // namespace reel
