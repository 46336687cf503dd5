// Plugins that exist only as declarations, for tests of graphs.
#pragma once

#include <string>

#include <reel/pipeline/graph.hpp>

namespace reel {

/// camera (out: video, audio), filter (video), level (audio), mix (picture, sound), show (any number of
/// anything).
class FakeCatalog final : public PluginCatalog {
 public:
  Entry find(const std::string& name) override;
};

/// Of a pipeline file "p.yaml" with that text.
[[nodiscard]] Graph graph_of(const std::string& text);

}  // namespace reel
