#include "config_parts.hpp"
#include "overrides.hpp"
#include "variables.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/pipeline/config.hpp>

namespace reel {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFileBytes = 1u << 20;

std::string read_file(const std::string& file) {
  std::error_code error;
  if (fs::is_directory(file, error))
    throw Error(ErrorCode::bad_config, "is a directory: give the pipeline's YAML file", file);
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw Error(ErrorCode::bad_config,
                fmt::format("cannot be opened: {}", std::generic_category().message(errno)), file);
  }
  std::string text(kMostFileBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) throw Error(ErrorCode::bad_config, "cannot be read", file);
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMostFileBytes)
    throw Error(ErrorCode::bad_config,
                fmt::format("is larger than {} bytes: too large for a pipeline", kMostFileBytes), file);
  return text;
}

std::string directory_of(const std::string& file) {
  return fs::absolute(fs::path(file)).lexically_normal().parent_path().string();
}

void read_version(MapReader& map) {
  const YamlNode* version = map.find("version");
  if (version == nullptr) {
    map.problems().add(map.node().where, "the pipeline needs the key 'version: 1'");
  } else if (version->kind != YamlNode::Kind::scalar || version->text != "1") {
    map.problems().add(version->where,
                       fmt::format("this Reel reads version 1 of pipeline files, not '{}'",
                                   version->kind == YamlNode::Kind::scalar ? version->text : "..."));
  }
}

void read_name(MapReader& map, PipelineConfig& config) {
  const std::string stem = fs::path(config.file).stem().string();
  config.name = map.text("name").value_or(stem);
  if (valid_part_name(config.name)) return;
  const YamlNode* given = map.node().find("name");
  map.problems().add(
      given != nullptr ? given->where : map.node().where,
      given != nullptr
          ? fmt::format("'{}' is no pipeline name: {}", config.name, kPartNameRule)
          : fmt::format("the pipeline needs the key 'name', for its file's is none: {}", kPartNameRule));
}

void read_plugin_path(MapReader& map, PipelineConfig& config) {
  const YamlNode* node = map.find("plugin_path");
  if (node == nullptr) return;
  const std::vector<YamlNode> single{*node};
  for (const YamlNode& item : node->kind == YamlNode::Kind::list ? node->items : single) {
    if (item.kind != YamlNode::Kind::scalar || item.text.empty()) {
      map.problems().add(item.where, "'plugin_path' must be a directory or a list of directories");
      continue;
    }
    const fs::path path = (fs::path(config.base_directory) / item.text).lexically_normal();
    std::error_code error;
    if (!fs::is_directory(path, error))
      map.problems().add(item.where, fmt::format("'plugin_path': there is no directory {}", path.string()));
    config.plugin_path.push_back(path.string());
  }
}

void read_stage_part(MapReader& map, PipelineConfig& config) {
  const YamlNode* stages = map.find("stages");
  if (stages != nullptr) config.stages = read_stages(*stages, map.problems());
  if (config.stages.empty() && !map.problems().any())
    map.problems().add(stages != nullptr ? stages->where : map.node().where,
                       "the pipeline needs at least one stage under 'stages'");
}

}  // namespace

PipelineConfig parse_pipeline(const std::string& text, const std::string& file,
                              const std::vector<std::string>& overrides) {
  Problems problems;
  YamlNode root = parse_yaml(text, file, problems);
  if (root.kind == YamlNode::Kind::null) throw Error(ErrorCode::bad_config, "there is nothing in it", file);
  if (root.kind != YamlNode::Kind::map) {
    throw Error(
        ErrorCode::bad_config,
        fmt::format("a pipeline is a map of keys (version, stages, ...), not {}", kind_text(root.kind)),
        root.where);
  }
  apply_overrides(root, overrides, problems);
  expand_tree(root, environment_variable, problems);

  PipelineConfig config;
  config.file = file;
  config.base_directory = directory_of(file);
  MapReader map(root, "the pipeline", problems);
  read_version(map);
  read_name(map, config);
  read_plugin_path(map, config);
  if (const auto drain = map.duration_ms("drain_timeout")) config.drain_timeout_ms = *drain;
  if (const auto stop = map.duration_ms("stop_timeout")) config.stop_timeout_ms = *stop;
  if (const YamlNode* streams = map.find_optional("streams"))
    config.streams = read_streams(*streams, problems);
  read_stage_part(map, config);
  read_service(map, config);
  map.finish();
  problems.throw_if_any();
  return config;
}

PipelineConfig load_pipeline(const std::string& file, const std::vector<std::string>& overrides) {
  return parse_pipeline(read_file(file), file, overrides);
}

}  // namespace reel
