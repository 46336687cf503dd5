#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/quantity.hpp>
#include <reel/base/text.hpp>
#include <reel/stage/options.hpp>

namespace reel {
namespace {

template <typename Number>
std::optional<Number> parse(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, end);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

[[noreturn]] void refuse(const OptionSpec& spec, std::string_view value, std::string_view why,
                         const std::string& where) {
  throw Error(ErrorCode::bad_config, fmt::format("option {}: \"{}\" {}", spec.name, value, why), where);
}

void check_text(const OptionSpec& spec, const std::string& text, const std::string& where) {
  if (spec.allowed == nullptr) return;
  const std::vector<std::string> allowed = split(spec.allowed, '|');
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return;
  const auto near = nearest_name(text, allowed);
  refuse(spec, text,
         near ? fmt::format("is not one of {}: did you mean {}?", join_or(allowed), *near)
              : fmt::format("is not one of {}", join_or(allowed)),
         where);
}

std::optional<double> as_number(std::string_view text) {
  return parse<double>(text);
}
std::optional<double> as_duration(std::string_view text) {
  const auto value = duration_from(text);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}
std::optional<double> as_size(std::string_view text) {
  const auto value = size_from(text);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

// `read` reads the ends of the range as it did the number.
void check_range(const OptionSpec& spec, double number, std::string_view text, const std::string& where,
                 std::optional<double> (*read)(std::string_view)) {
  if (spec.allowed == nullptr) return;
  const std::string_view allowed = spec.allowed;
  const std::size_t dots = allowed.find("..");
  if (dots == std::string_view::npos)
    throw Error(
        ErrorCode::plugin,
        fmt::format("option {} declares the range \"{}\": it must be \"least..most\"", spec.name, allowed));
  const auto least = read(allowed.substr(0, dots));
  const auto most = read(allowed.substr(dots + 2));
  if ((least && number < *least) || (most && number > *most))
    refuse(spec, text, fmt::format("is outside {}", spec.allowed), where);
}

std::string resolve(const std::string& text, const std::string& base_directory) {
  const std::size_t scheme = text.find("://");
  const bool has_scheme = scheme != std::string::npos && scheme > 0 && text.find('/') > scheme;
  if (text.empty() || has_scheme) return text;
  const std::filesystem::path path(text);
  return path.is_absolute() ? text
                            : (std::filesystem::path(base_directory) / path).lexically_normal().string();
}

[[noreturn]] void refuse_unknown(std::span<const OptionSpec> specs, const std::string& name,
                                 const std::string& where) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : specs) names.emplace_back(spec.name);
  std::sort(names.begin(), names.end());
  if (names.empty())
    throw Error(ErrorCode::bad_config, fmt::format("there is no option \"{}\": this stage takes none", name),
                where);
  const auto near = nearest_name(name, names);
  throw Error(ErrorCode::bad_config,
              near ? fmt::format("there is no option \"{}\": did you mean \"{}\"? Options are {}", name,
                                 *near, join_or(names))
                   : fmt::format("there is no option \"{}\": options are {}", name, join_or(names)),
              where);
}

}  // namespace

std::string_view to_string(OptionType type) noexcept {
  switch (type) {
    case OptionType::text: return "text";
    case OptionType::integer: return "integer";
    case OptionType::number: return "number";
    case OptionType::boolean: return "boolean";
    case OptionType::path: return "path";
    case OptionType::list: return "list";
    case OptionType::duration: return "duration";
    case OptionType::size: return "size";
  }
  return "unknown";
}

Options::Value Options::read(const OptionSpec& spec, const OptionValue& given,
                             const std::string& base_directory) {
  Value value;
  value.type = spec.type;
  value.given = true;
  value.text = given.text;
  if (given.is_list && spec.type != OptionType::list)
    throw Error(ErrorCode::bad_config,
                fmt::format("option {} takes one {}, not a list", spec.name, to_string(spec.type)),
                given.where);
  switch (spec.type) {
    case OptionType::text: check_text(spec, given.text, given.where); break;
    case OptionType::path: value.text = resolve(given.text, base_directory); break;
    case OptionType::boolean:
      if (given.text != "true" && given.text != "false")
        refuse(spec, given.text, "is not a boolean: write true or false", given.where);
      value.boolean = given.text == "true";
      break;
    case OptionType::integer: {
      const auto integer = parse<std::int64_t>(given.text);
      if (!integer) refuse(spec, given.text, "is not an integer of 64 bits", given.where);
      value.integer = *integer;
      value.number = static_cast<double>(*integer);
      check_range(spec, value.number, given.text, given.where, as_number);
      break;
    }
    case OptionType::number: {
      const auto number = parse<double>(given.text);
      if (!number || !std::isfinite(*number)) refuse(spec, given.text, "is not a number", given.where);
      value.number = *number;
      check_range(spec, value.number, given.text, given.where, as_number);
      break;
    }
    case OptionType::duration: {
      const auto duration = duration_from(given.text);
      if (!duration) refuse(spec, given.text, fmt::format("is not {}", kDurationText), given.where);
      value.integer = *duration;
      check_range(spec, static_cast<double>(*duration), given.text, given.where, as_duration);
      break;
    }
    case OptionType::size: {
      const auto size = size_from(given.text);
      if (!size) refuse(spec, given.text, fmt::format("is not {}", kSizeText), given.where);
      value.integer = static_cast<std::int64_t>(*size);
      check_range(spec, static_cast<double>(*size), given.text, given.where, as_size);
      break;
    }
    case OptionType::list:
      value.items = given.is_list ? given.items : split(given.text, ',');
      for (const std::string& item : value.items) check_text(spec, item, given.where);
      break;
    default:
      throw Error(ErrorCode::plugin, fmt::format("option {} is declared with the unknown type {}", spec.name,
                                                 static_cast<std::uint32_t>(spec.type)));
  }
  return value;
}

Options::Options(std::span<const OptionSpec> specs, const std::map<std::string, OptionValue>& values,
                 const std::string& base_directory) {
  for (const auto& [name, value] : values) {
    const bool known = std::any_of(specs.begin(), specs.end(), [&known_name = name](const OptionSpec& spec) {
      return known_name == spec.name;
    });
    if (!known) refuse_unknown(specs, name, value.where);
  }
  for (const OptionSpec& spec : specs) {
    const auto given = values.find(spec.name);
    if (given != values.end()) {
      values_[spec.name] = read(spec, given->second, base_directory);
      continue;
    }
    if (spec.fallback == nullptr)
      throw Error(ErrorCode::bad_config, fmt::format("option {} must be given: {}", spec.name, spec.help));
    Value value =
        read(spec, OptionValue{spec.fallback, {}, false, "the plugin's own default"}, base_directory);
    value.given = false;
    values_[spec.name] = std::move(value);
  }
}

const Options::Value& Options::find(std::string_view name, OptionType type) const {
  const auto found = values_.find(name);
  if (found == values_.end())
    throw Error(ErrorCode::internal,
                fmt::format("the plugin reads the option \"{}\" that it does not declare", name));
  const OptionType declared = found->second.type;
  const bool fits = declared == type || (type == OptionType::text && declared == OptionType::path) ||
                    (type == OptionType::number && declared == OptionType::integer);
  if (!fits)
    throw Error(ErrorCode::internal,
                fmt::format("the plugin reads the option \"{}\" as {}, but declares it as {}", name,
                            to_string(type), to_string(declared)));
  return found->second;
}

const std::string& Options::text(std::string_view name) const {
  return find(name, OptionType::text).text;
}
std::int64_t Options::integer(std::string_view name) const {
  return find(name, OptionType::integer).integer;
}
double Options::number(std::string_view name) const {
  return find(name, OptionType::number).number;
}
bool Options::boolean(std::string_view name) const {
  return find(name, OptionType::boolean).boolean;
}
std::int64_t Options::duration_ns(std::string_view name) const {
  return find(name, OptionType::duration).integer;
}
std::int64_t Options::duration_ms(std::string_view name) const {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  const std::int64_t duration = duration_ns(name);
  return duration / kNsPerMs + (duration % kNsPerMs >= kNsPerMs / 2 ? 1 : 0);
}
std::uint64_t Options::bytes(std::string_view name) const {
  return static_cast<std::uint64_t>(find(name, OptionType::size).integer);
}
const std::vector<std::string>& Options::list(std::string_view name) const {
  return find(name, OptionType::list).items;
}

bool Options::given(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end())
    throw Error(ErrorCode::internal,
                fmt::format("the plugin asks for the option \"{}\" that it does not declare", name));
  return found->second.given;
}

}  // namespace reel
