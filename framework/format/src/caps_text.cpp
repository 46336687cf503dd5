#include "caps_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace reel::caps {
namespace {

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_octal(char c) {
  return c >= '0' && c <= '7';
}
constexpr bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

// GST_ASCII_IS_STRING of gststructure.h: what names and unquoted values consist of.
constexpr bool is_word(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("_-+/:.").find(c) != std::string_view::npos;
}

constexpr char closer_of(char open) {
  switch (open) {
    case '[': return ']';
    case '{': return '}';
    case '<': return '>';
    default: return '\0';
  }
}

// gst_string_unwrap(): a backslash makes the next character literal, or three octal digits a byte.
std::string unquoted(std::string_view inner) {
  std::string plain;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '\\' || i + 1 == inner.size()) {
      plain += inner[i];
    } else if (i + 3 < inner.size() && std::all_of(&inner[i + 1], &inner[i + 4], is_octal)) {
      plain += static_cast<char>((inner[i + 1] - '0') * 64 + (inner[i + 2] - '0') * 8 + (inner[i + 3] - '0'));
      i += 3;
    } else {
      plain += inner[++i];
    }
  }
  return plain;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Structure structure() {
    Structure found;
    skip_spaces();
    found.media_type = media_type();
    skip_spaces();
    // Features say where a buffer's memory is ("memory:DMABuf"); a frame's is in its slot, so only the text
    // keeps them.
    if (at('(')) parenthesised();
    for (skip_spaces(); at(','); skip_spaces()) {
      Field next = field();
      if (found.find(next.name)) reject(text_, fmt::format("field '{}' is there twice", shown(next.name)));
      found.fields.push_back(std::move(next));
    }
    if (at(';')) ++at_;
    skip_spaces();
    if (at_ != text_.size())
      reject(text_, fmt::format("at character {}: expected ',' and a field, or the end (one structure only)",
                                at_ + 1));
    return found;
  }

 private:
  [[nodiscard]] bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }

  void skip_spaces() {
    while (at(' ')) ++at_;
  }

  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  std::string_view media_type() {
    const std::string_view type = word();
    const std::size_t slash = type.find('/');
    if (type.empty() || !is_letter(type[0]) || slash == std::string_view::npos || slash + 1 == type.size())
      reject(text_, "it does not begin with a media type such as 'video/x-raw'");
    return type;
  }

  // The inside of "(...)", spaces around it cut off.
  std::string_view parenthesised() {
    const std::size_t close = text_.find(')', at_);
    if (close == std::string_view::npos)
      reject(text_, fmt::format("the '(' at character {} is never closed", at_ + 1));
    std::string_view inside = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    while (inside.starts_with(' ')) inside.remove_prefix(1);
    while (inside.ends_with(' ')) inside.remove_suffix(1);
    return inside;
  }

  Field field() {
    Field found;
    found.begin = at_++;
    skip_spaces();
    found.name = word();
    skip_spaces();
    if (found.name.empty() || !at('='))
      reject(text_, fmt::format("at character {}: expected 'name=value'", at_ + 1));
    ++at_;
    skip_spaces();
    if (at('(')) found.type = parenthesised();
    skip_spaces();
    read_value(found);
    found.end = at_;
    return found;
  }

  void read_value(Field& field) {
    const std::size_t begin = at_;
    if (at('"')) {
      skip_quoted();
      field.value = unquoted(text_.substr(begin + 1, at_ - begin - 2));
    } else if (at_ < text_.size() && closer_of(text_[at_])) {
      skip_brackets();
      field.value = text_.substr(begin, at_ - begin);
      field.fixed = false;
    } else {
      field.value = word();
      if (field.value.empty()) reject(text_, fmt::format("field '{}' has no value", shown(field.name)));
    }
  }

  void skip_quoted() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size())
      reject(text_, fmt::format("the quote at character {} is never closed", begin + 1));
    ++at_;
  }

  void skip_brackets() {
    const std::size_t begin = at_;
    std::string closers;  // of the brackets that are open
    do {
      if (at('"')) {
        skip_quoted();
        continue;
      }
      const char c = text_[at_++];
      if (closer_of(c))
        closers += closer_of(c);
      else if (c == closers.back())
        closers.pop_back();
    } while (!closers.empty() && at_ < text_.size());
    if (!closers.empty())
      reject(text_, fmt::format("the '{}' at character {} is never closed", text_[begin], begin + 1));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const Field* Structure::find(std::string_view name) const noexcept {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

Structure parse(std::string_view text) {
  const auto odd = std::find_if_not(text.begin(), text.end(), is_printable);
  if (odd != text.end()) {
    reject(text, fmt::format(
                     "character {} is byte 0x{:02x}: only printable ASCII is allowed (write others as \\ooo "
                     "in quotes)",
                     odd - text.begin() + 1, static_cast<unsigned char>(*odd)));
  }
  return Scanner(text).structure();
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShownBytes = 80;
  std::string beginning{text.substr(0, kShownBytes)};
  std::replace_if(
      beginning.begin(), beginning.end(), [](char c) { return !is_printable(c); }, '?');
  return text.size() > kShownBytes ? beginning + "..." : beginning;
}

void reject(std::string_view text, const std::string& why) {
  throw Error(ErrorCode::bad_argument, why, fmt::format("caps '{}'", shown(text)));
}

}  // namespace reel::caps
