// The plugin ABI: one extern "C" function that returns a constant descriptor. One stage per module; the
// module's file is <name>.so in a plugin directory. Plugins are built with the compiler and headers of the
// Reel they are loaded by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>

#include <reel/base/log.hpp>
#include <reel/stage/options.hpp>
#include <reel/stage/stage.hpp>

namespace reel {

/// Changes with every change of a type that crosses the boundary, in its members or its virtual functions:
/// those of this file; Stage, StageContext, FrameSet, Input, Output, OptionSpec, OptionValue, Options; what
/// modules use inline of Frame, Loan, HeldSlot, PlaneView, ConstPlaneView, FrameInfo, SideDataView,
/// SideDataWriter, Format and all it is made of, VideoLayout, Segment, Tags, StageMetrics, Counter, Gauge,
/// Error. A unit test holds their sizes beside this number.
inline constexpr std::uint32_t kPluginAbi = 5;

/// What a port takes or gives: any of these bits.
enum PortMedia : std::uint32_t {
  kTakesVideo = 1,
  kTakesAudio = 2,
  kTakesEncoded = 4,
  kTakesBytes = 8,
  kTakesAny = 15
};

struct PortSpec {
  const char* name;
  std::uint32_t media;  // PortMedia bits
  const char* help;
  bool required = true;  // must be connected in a pipeline
  bool many = false;     // any number of streams
};

/// Plain data; every pointer is to a constant that lives as long as the module.
struct PluginDescriptor {
  std::uint32_t abi;    // kPluginAbi; first for ever
  const char* name;     // "opencv.blur"
  const char* summary;  // one line
  const PortSpec* inputs;
  std::size_t input_count;
  const PortSpec* outputs;
  std::size_t output_count;
  const OptionSpec* options;
  std::size_t option_count;
  Stage* (*create)() noexcept;  // nullptr when the constructor threw, which is in the log; owned by the
                                // caller, deleted through Stage
};

/// The symbol looked up in a module.
inline constexpr const char* kPluginSymbol = "reel_plugin";
using PluginEntry = const PluginDescriptor* (*)();

}  // namespace reel

#define REEL_PLUGIN_EXPORT __attribute__((visibility("default")))

/// Declares the one stage of a module, at namespace scope:
///   REEL_STAGE(Blur, "opencv.blur", "Gaussian blur", kInputs, kOutputs, kOptions)
/// where the last three are constexpr std::arrays of PortSpec, PortSpec and OptionSpec (see no_ports,
/// no_options).
#define REEL_STAGE(Class, plugin_name, plugin_summary, plugin_inputs, plugin_outputs, plugin_options) \
  extern "C" REEL_PLUGIN_EXPORT const ::reel::PluginDescriptor* reel_plugin() {                       \
    static const ::reel::PluginDescriptor descriptor{::reel::kPluginAbi,                              \
                                                     plugin_name,                                     \
                                                     plugin_summary,                                  \
                                                     (plugin_inputs).data(),                          \
                                                     (plugin_inputs).size(),                          \
                                                     (plugin_outputs).data(),                         \
                                                     (plugin_outputs).size(),                         \
                                                     (plugin_options).data(),                         \
                                                     (plugin_options).size(),                         \
                                                     []() noexcept -> ::reel::Stage* {                \
                                                       try {                                          \
                                                         return new Class();                          \
                                                       } catch (const ::std::exception& error) {      \
                                                         ::reel::log_error(error.what());             \
                                                         return nullptr;                              \
                                                       } catch (...) {                                \
                                                         return nullptr;                              \
                                                       }                                              \
                                                     }};                                              \
    return &descriptor;                                                                               \
  }

namespace reel {
inline constexpr std::array<PortSpec, 0> no_ports{};
inline constexpr std::array<OptionSpec, 0> no_options{};
}  // namespace reel
