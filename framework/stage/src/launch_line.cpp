#include <reel/stage/launch_line.hpp>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <optional>

namespace reel {
namespace {

constexpr std::string_view kLinks = "!()";

bool is_space(char letter) {
  return std::isspace(static_cast<unsigned char>(letter)) != 0;
}

// What GStreamer's own grammar calls tokens, as far as elements and their properties go: words, in which
// quotes and backslashes hide what would end them, and links.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  // Empty at the end of the text.
  std::string_view next() {
    skip_spaces();
    const std::size_t begin = place_;
    if (place_ == text_.size()) return {};
    if (kLinks.find(text_[place_]) != std::string_view::npos) return text_.substr(begin, ++place_ - begin);
    while (place_ < text_.size() && !is_space(text_[place_]) &&
           kLinks.find(text_[place_]) == std::string_view::npos)
      pass_one();
    return text_.substr(begin, place_ - begin);
  }
  // Whether a '=' that stands alone, or begins a word, comes next.
  bool assigned() {
    skip_spaces();
    return place_ < text_.size() && text_[place_] == '=';
  }
  [[nodiscard]] std::size_t place() const { return place_; }

 private:
  void skip_spaces() {
    while (place_ < text_.size() && is_space(text_[place_])) ++place_;
  }
  // A letter, an escaped one, or all that is between quotes.
  void pass_one() {
    const char first = text_[place_++];
    if (first == '\\' && place_ < text_.size()) {
      ++place_;
    } else if (first == '"' || first == '\'') {
      while (place_ < text_.size() && text_[place_] != first) place_ += text_[place_] == '\\' ? 2 : 1;
      place_ = std::min(place_ + 1, text_.size());
    }
  }

  std::string_view text_;
  std::size_t place_ = 0;
};

// The name that a word assigns to; nullopt for a word that does not.
std::optional<std::string_view> key_of(std::string_view word, Words& words) {
  const std::size_t equals = word.find('=');
  if (equals != std::string_view::npos) {
    if (equals + 1 == word.size()) static_cast<void>(words.next());  // "stream= a"
    return word.substr(0, equals);
  }
  if (!words.assigned()) return std::nullopt;
  if (words.next() == "=") static_cast<void>(words.next());  // "stream = a"; else "stream =a"
  return word;
}

}  // namespace

std::vector<OpenEnd> open_ends(std::string_view launch) {
  std::vector<OpenEnd> ends;
  bool open = false;  // the last of `ends` is the element whose properties come now
  Words words(launch);
  for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
    const std::size_t behind = words.place();
    if (const auto key = key_of(word, words)) {
      if (open && *key == "stream") {
        ends.pop_back();
        open = false;
      }
      continue;
    }
    open = word == "reelsrc" || word == "reelsink";
    if (open) ends.push_back({word == "reelsrc", behind});
  }
  return ends;
}

std::string filled_launch(std::string_view launch, const std::vector<std::string>& properties) {
  const std::vector<OpenEnd> ends = open_ends(launch);
  assert(ends.size() == properties.size());
  std::string filled;
  std::size_t done = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    filled += launch.substr(done, ends[i].behind - done);
    filled += " " + properties[i] + " ";
    done = ends[i].behind;
  }
  filled += launch.substr(done);
  return filled;
}

}  // namespace reel
