#include "property_names.hpp"

#include <algorithm>
#include <array>

#include <reel/base/error.hpp>

namespace reel::gst {
namespace {

struct Name {
  std::string_view option;
  std::string_view property;
};
constexpr std::array kNames{Name{"max_bytes", "max-bytes"},
                            Name{"max_pins", "max-pins"},
                            Name{"side_data_bytes", "side-data-bytes"},
                            Name{"start_timeout", "start-timeout"},
                            Name{"stall_timeout", "stall-timeout"},
                            Name{"absence_timeout", "absence-timeout"},
                            Name{"wait_for", "wait-for"}};

// Of the names of streams and readers, and of paths.
bool in_name(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || std::string_view("._/-").find(letter) != std::string_view::npos;
}

// A dot that nothing follows ends a sentence.
std::string_view first_name(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), in_name);
  std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  while (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

}  // namespace

std::string in_properties(std::string message) {
  bool quoted = false;
  for (std::size_t at = 0; at < message.size();) {
    quoted ^= message[at] == '"';
    const std::string_view name = first_name(std::string_view(message).substr(at));
    if (quoted || name.empty()) {
      ++at;
      continue;
    }
    const auto known =
        std::find_if(kNames.begin(), kNames.end(), [&](const Name& one) { return one.option == name; });
    const std::size_t size = name.size();
    if (known != kNames.end()) message.replace(at, size, known->property);
    at += known != kNames.end() ? known->property.size() : size;
  }
  return message;
}

std::string in_properties(const std::exception& error, std::string_view stream) {
  const auto* known = dynamic_cast<const Error*>(&error);
  if (known == nullptr) return in_properties(std::string(error.what()));
  const bool elsewhere = !known->where().empty() && known->where() != stream;
  return (elsewhere ? known->where() + ": " : "") + in_properties(known->message());
}

}  // namespace reel::gst
