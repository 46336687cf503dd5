#include "property_names.hpp"

#include <array>
#include <string_view>

namespace reel::gst {
namespace {

struct Name {
  std::string_view option;
  std::string_view property;
};
// Loans come with slots.
constexpr std::array kNames{Name{"max_bytes", "max-bytes"},
                            Name{"max_pins", "max-pins"},
                            Name{"side_data_bytes", "side-data-bytes"},
                            Name{"start_timeout", "start-timeout"},
                            Name{"stall_timeout", "stall-timeout"},
                            Name{"absence_timeout", "absence-timeout"},
                            Name{"wait_for", "wait-for"},
                            Name{"raise loans", "raise slots"}};

bool in_word(char letter) {
  return letter == '_' || (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
}

bool whole_word(std::string_view text, std::size_t at, std::size_t size) {
  return (at == 0 || !in_word(text[at - 1])) && (at + size == text.size() || !in_word(text[at + size]));
}

}  // namespace

std::string in_properties(std::string message) {
  for (const Name& name : kNames)
    for (std::size_t at = message.find(name.option); at != std::string::npos;
         at = message.find(name.option, at + 1))
      if (whole_word(message, at, name.option.size())) message.replace(at, name.option.size(), name.property);
  return message;
}

}  // namespace reel::gst
