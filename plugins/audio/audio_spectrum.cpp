// Stage `audio.spectrum`: passes sound on with the level of each band of frequencies as JSON
// (spectrum_meter.hpp has the formula).
#include "sound_filter.hpp"
#include "spectrum_meter.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <reel/base/error.hpp>

namespace {

using reel::OptionSpec;
using reel::OptionType;
using reel::PortSpec;

constexpr const char* kName = "audio.spectrum";
constexpr std::array kOutputs{PortSpec{"out", reel::kTakesAudio,
                                       "the same sound with {\"edges_hz\" (of the bands, one more than "
                                       "bands), \"dbfs\" (of each), \"peak_hz\"}"}};
constexpr std::array kOptions{
    OptionSpec{"bands", OptionType::integer, "24", "bands of equal width in octaves", "1..256"},
    OptionSpec{"lowest_hz", OptionType::number, "40", "where the first band begins", "1..100000"},
    OptionSpec{"highest_hz", OptionType::number, "16000",
               "where the last band ends; half the sample rate at most", "2..400000"},
    OptionSpec{"window", OptionType::integer, "2048",
               "samples looked at, a power of two: more tell low frequencies apart, and follow more slowly",
               "64..65536"}};

double rounded(double value, double parts) {
  return std::round(value * parts) / parts;
}

class Spectrum final : public SoundFilter {
 public:
  void configure(const reel::Options& options) override {
    settings_.bands = static_cast<std::size_t>(options.integer("bands"));
    settings_.window = static_cast<std::size_t>(options.integer("window"));
    settings_.lowest_hz = options.number("lowest_hz");
    settings_.highest_hz = options.number("highest_hz");
    if ((settings_.window & (settings_.window - 1)) != 0)
      throw reel::Error(reel::ErrorCode::bad_config,
                        "window is " + std::to_string(settings_.window) +
                            ", and must be a power of two: 1024, 2048, 4096 and so on");
    if (settings_.lowest_hz >= settings_.highest_hz)
      throw reel::Error(reel::ErrorCode::bad_config,
                        "lowest_hz is " + std::to_string(settings_.lowest_hz) + " and highest_hz " +
                            std::to_string(settings_.highest_hz) + ": the lowest must be below the highest");
  }

 private:
  [[nodiscard]] bool add_side_data(const reel::Frame& frame, reel::SideDataWriter& side_data) override {
    if (begins_anew(frame)) meter_.emplace(*frame.format().audio(), settings_);
    meter_->add(frame.data());
    nlohmann::json edges = nlohmann::json::array(), levels = nlohmann::json::array();
    for (const double level : meter_->levels_dbfs()) levels.push_back(rounded(level, 10));
    for (const double edge : meter_->edges_hz()) edges.push_back(rounded(edge, 10));
    const nlohmann::json said{
        {"edges_hz", edges}, {"dbfs", levels}, {"peak_hz", rounded(meter_->peak_hz(), 10)}};
    const bool fits = side_data.add_json(kName, said.dump());
    return side_data.add_all(frame.side_data()) && fits;
  }

  SpectrumSettings settings_;
  std::optional<SpectrumMeter> meter_;
};

}  // namespace

REEL_STAGE(Spectrum, kName, "passes sound on with the level of each band of frequencies", kSoundIn, kOutputs,
           kOptions)
