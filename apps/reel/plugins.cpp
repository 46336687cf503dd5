// `reel plugins`: what stages there are, and everything that one of them takes.
#include "commands.hpp"
#include "json_output.hpp"
#include "new_plugin.hpp"
#include "table.hpp"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>
#include <reel/base/text.hpp>
#include <reel/stage/loader.hpp>

namespace {

constexpr std::size_t kWidestAllowed = 24;

struct PluginsOptions {
  std::string name;
  std::vector<std::string> directories;
  std::string new_directory;
  bool json = false;
};

std::vector<std::string> media_names(std::uint32_t media) {
  std::vector<std::string> names;
  if ((media & reel::kTakesVideo) != 0) names.emplace_back("video");
  if ((media & reel::kTakesAudio) != 0) names.emplace_back("audio");
  if ((media & reel::kTakesEncoded) != 0) names.emplace_back("encoded");
  if ((media & reel::kTakesBytes) != 0) names.emplace_back("bytes");
  return names;
}

nlohmann::json text_or_null(const char* text) {
  return text == nullptr ? nlohmann::json() : nlohmann::json(text);
}

nlohmann::json ports_json(std::span<const reel::PortSpec> ports) {
  nlohmann::json all = nlohmann::json::array();
  for (const reel::PortSpec& port : ports)
    all.push_back({{"name", port.name},
                   {"media", media_names(port.media)},
                   {"required", port.required},
                   {"many", port.many},
                   {"help", port.help}});
  return all;
}

nlohmann::json to_json(const reel::Plugin& plugin) {
  nlohmann::json options = nlohmann::json::array();
  for (const reel::OptionSpec& option : plugin.options())
    options.push_back({{"name", option.name},
                       {"type", reel::to_string(option.type)},
                       {"required", option.fallback == nullptr},
                       {"default", text_or_null(option.fallback)},
                       {"allowed", text_or_null(option.allowed)},
                       {"help", option.help}});
  return {{"name", plugin.descriptor().name},
          {"summary", plugin.descriptor().summary},
          {"path", plugin.path()},
          {"inputs", ports_json(plugin.inputs())},
          {"outputs", ports_json(plugin.outputs())},
          {"options", std::move(options)}};
}

void print_ports(std::string_view title, std::span<const reel::PortSpec> ports) {
  if (ports.empty()) return;
  fmt::print("\n{}\n", title);
  Table table({{"NAME"}, {"TAKES"}, {"STREAMS"}, {"MEANING"}}, 2);
  for (const reel::PortSpec& port : ports) {
    const std::string media = port.media == reel::kTakesAny ? "any" : reel::join_or(media_names(port.media));
    const char* count = port.many ? (port.required ? "1 or more" : "any") : (port.required ? "1" : "0 or 1");
    table.add_row({port.name, media, count, port.help});
  }
  table.print();
}

void print_options(std::span<const reel::OptionSpec> options) {
  Table table({{"NAME"}, {"TYPE"}, {"DEFAULT"}, {"ALLOWED"}, {"MEANING"}}, 2);
  std::vector<const reel::OptionSpec*> long_lists;  // of values: printed below, the table stays readable
  for (const reel::OptionSpec& option : options) {
    std::string fallback = option.fallback == nullptr ? "(required)" : option.fallback;
    if (fallback.empty()) fallback = "(empty)";
    std::string allowed = option.allowed == nullptr ? "any" : option.allowed;
    if (allowed.size() > kWidestAllowed) {
      allowed = "(see below)";
      long_lists.push_back(&option);
    }
    table.add_row({option.name, std::string(reel::to_string(option.type)), fallback, allowed, option.help});
  }
  table.print();
  for (const reel::OptionSpec* option : long_lists)
    fmt::print("  {} is one of {}\n", option->name, option->allowed);
}

void print_plugin(const reel::Plugin& plugin) {
  fmt::print("{}: {}\n({})\n", plugin.descriptor().name, plugin.descriptor().summary, plugin.path());
  print_ports("Inputs", plugin.inputs());
  print_ports("Outputs", plugin.outputs());
  if (plugin.options().empty()) {
    fmt::print("\nNo options.\n");
    return;
  }
  fmt::print("\nOptions\n");
  print_options(plugin.options());
}

void show_one(const PluginsOptions& options, const std::vector<std::string>& directories) {
  try {
    const reel::Plugin plugin = reel::load_plugin(options.name, directories);
    if (options.json) {
      print_json(to_json(plugin));
    } else {
      print_plugin(plugin);
    }
  } catch (const reel::Error& error) {
    // A name that no plugin has is bad usage, not a failure.
    if (error.code() != reel::ErrorCode::not_found) throw;
    throw reel::Error(reel::ErrorCode::bad_argument, error.message(), error.where());
  }
}

int show_all(const PluginsOptions& options, const std::vector<std::string>& directories) {
  nlohmann::json all = nlohmann::json::array();
  Table table({{"PLUGIN"}, {"WHAT IT DOES"}});
  int status = 0;
  for (const std::string& name : reel::list_plugins(directories)) {
    try {
      const reel::Plugin plugin = reel::load_plugin(name, directories);
      all.push_back(to_json(plugin));
      table.add_row({name, plugin.descriptor().summary});
    } catch (const reel::Error& error) {
      fmt::print(stderr, "reel: {}\n", error.what());
      status = 1;
    }
  }
  if (options.json) {
    print_json(all);
  } else if (all.empty()) {
    fmt::print("no plugins (looked in {})\n", reel::join_or(directories));
  } else {
    table.print();
  }
  return status;
}

}  // namespace

void add_plugins(CLI::App& app, CommandResult& result) {
  CLI::App* command =
      app.add_subcommand("plugins", "List the stages there are, or show one with its options");
  auto options = std::make_shared<PluginsOptions>();
  command->add_option("NAME", options->name, "A plugin to show in full: ports and options")
      ->type_name("PLUGIN");
  command->add_option("--plugin-dir", options->directories, "Look here first; may be given several times")
      ->type_name("DIR");
  command->add_option("--new", options->new_directory, "Make a plugin NAME to start from in this directory")
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print an array of plugins, or the one as an object");
  command->footer(
      "Example: reel plugins opencv.faces\n"
      "Example: reel plugins acme.glow --new glow\n"
      "Plugins are looked for in --plugin-dir, $REEL_PLUGIN_PATH and where this build or installation keeps "
      "them.");
  command->callback([options, &result] {
    if (!options->new_directory.empty()) {
      fmt::print("{}", write_new_plugin(options->name, options->new_directory));
      return;
    }
    const std::vector<std::string> directories = reel::plugin_directories(options->directories);
    if (options->name.empty()) {
      result.status = show_all(*options, directories);
    } else {
      show_one(*options, directories);
    }
  });
}
