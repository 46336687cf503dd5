// The options of a stage: what a plugin declares, and the checked values that a stage reads. Pure values.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

/// The numbers are part of the plugin ABI.
enum class OptionType : std::uint32_t {
  text = 1,
  integer = 2,   // 64 bit, signed
  number = 3,    // double
  boolean = 4,   // true or false
  path = 5,      // a file or directory; relative ones are taken from the pipeline file's directory and arrive
                 // absolute. Empty text and text with a scheme ("test://ball") arrive as they are
  list = 6,      // of texts; one text (a default, --set) is split at its commas
  duration = 7,  // "500ms", "2s", "1h", "30d", or a number of seconds
  size = 8       // bytes: "4096", "64MB", "2GiB"
};
[[nodiscard]] std::string_view to_string(OptionType type) noexcept;

/// One option as a plugin declares it: plain pointers to constants, part of the plugin ABI.
struct OptionSpec {
  const char* name;
  OptionType type;
  const char* fallback;           // the default as text; nullptr: must be given
  const char* help;               // one sentence, units included
  const char* allowed = nullptr;  // texts: "a|b|c"; numbers, durations, sizes: "1..256", "1s..1h" (either
                                  // end may be left out)
};

/// A value as it stands in a pipeline file or on the command line.
struct OptionValue {
  std::string text;
  std::vector<std::string> items;  // of a list; then `text` is empty
  bool is_list = false;
  std::string where;  // "faces.yaml:12", for messages
};

/// Checked values of every declared option, defaults filled in.
class Options {
 public:
  /// Throws Error{bad_config} for an unknown name (with the nearest right one), a missing, ill-typed or not
  /// allowed value; `where` of the value is the error's place. Relative paths are resolved against
  /// `base_directory`.
  Options(std::span<const OptionSpec> specs, const std::map<std::string, OptionValue>& values,
          const std::string& base_directory);

  // Each throws Error{internal} for a name that was not declared, or of another type.
  [[nodiscard]] const std::string& text(std::string_view name) const;  // of text and path
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;  // of number and integer
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::int64_t duration_ns(std::string_view name) const;
  [[nodiscard]] std::int64_t duration_ms(std::string_view name) const;  // rounded
  [[nodiscard]] std::uint64_t bytes(std::string_view name) const;       // of size
  [[nodiscard]] const std::vector<std::string>& list(std::string_view name) const;
  /// True when the pipeline file or command line gave it.
  [[nodiscard]] bool given(std::string_view name) const;

 private:
  struct Value {
    OptionType type = OptionType::text;
    bool given = false;
    std::string text;
    std::int64_t integer = 0;
    double number = 0;
    bool boolean = false;
    std::vector<std::string> items;
  };
  [[nodiscard]] static Value read(const OptionSpec& spec, const OptionValue& given,
                                  const std::string& base_directory);
  [[nodiscard]] const Value& find(std::string_view name, OptionType type) const;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace reel
