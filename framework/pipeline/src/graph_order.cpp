#include "graph_order.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace reel {
namespace {

// REQUIRES: some stage is not placed, and every such one has an upstream that is not placed.
std::vector<std::size_t> find_cycle(const std::vector<std::vector<std::size_t>>& upstream,
                                    const std::vector<bool>& placed) {
  std::vector<std::size_t> walk;
  auto at = static_cast<std::size_t>(std::find(placed.begin(), placed.end(), false) - placed.begin());
  while (std::find(walk.begin(), walk.end(), at) == walk.end()) {
    walk.push_back(at);
    at = *std::find_if(upstream[at].begin(), upstream[at].end(), [&](std::size_t up) { return !placed[up]; });
  }
  walk.erase(walk.begin(), std::find(walk.begin(), walk.end(), at));
  std::reverse(walk.begin(), walk.end());  // the walk went against the streams
  std::rotate(walk.begin(), std::min_element(walk.begin(), walk.end()), walk.end());
  return walk;
}

void report_cycle(const std::vector<StageConfig>& stages, const std::vector<std::size_t>& cycle,
                  Problems& problems) {
  std::string path;
  for (const std::size_t stage : cycle) path += stages[stage].name + " -> ";
  path += stages[cycle.front()].name;
  problems.add(
      stages[cycle.front()].where,
      fmt::format("the stages form a cycle, {}: frames must not come back to where they have been", path));
}

}  // namespace

std::vector<std::size_t> order_stages(const std::vector<StageConfig>& stages,
                                      const std::vector<std::vector<std::size_t>>& upstream,
                                      Problems& problems) {
  std::vector<std::size_t> order;
  std::vector<bool> placed(stages.size());
  while (order.size() < stages.size()) {
    std::size_t next = 0;
    for (; next < stages.size(); ++next) {
      if (!placed[next] && std::all_of(upstream[next].begin(), upstream[next].end(),
                                       [&](std::size_t up) { return placed[up]; }))
        break;
    }
    if (next == stages.size()) {
      report_cycle(stages, find_cycle(upstream, placed), problems);
      return order;
    }
    placed[next] = true;
    order.push_back(next);
  }
  return order;
}

}  // namespace reel
