#include "variables.hpp"

#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

#include <reel/base/error.hpp>

namespace reel {
namespace {

constexpr int kDeepestDefault = 16;

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::bad_config, message);
}

bool valid_name(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) return false;
  for (const char c : name) {
    if (c != '_' && std::isalnum(static_cast<unsigned char>(c)) == 0) return false;
  }
  return true;
}

// Index of the brace that closes the one before `from`, defaults with braces of their own counted.
std::size_t closing_brace(std::string_view text, std::size_t from) {
  int depth = 1;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text.substr(i, 2) == "${") ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  fail(fmt::format("'{}' has no closing brace", text.substr(from - 2)));
}

std::string expand(std::string_view text, const VariableLookup& lookup, int depth);

std::string variable(std::string_view inside, const VariableLookup& lookup, int depth) {
  const std::size_t colon = inside.find(":-");
  const std::string name(inside.substr(0, colon));
  if (!valid_name(name)) {
    fail(
        fmt::format("'${{{}}}' is no variable: write ${{NAME}} or ${{NAME:-default}}, NAME of letters, "
                    "digits and _, or $$ for a dollar",
                    inside));
  }
  const auto value = lookup(name);
  if (colon == std::string_view::npos) {
    if (!value)
      fail(fmt::format("the variable {} is not set: set it, or give a default with ${{{}:-default}}", name,
                       name));
    return *value;
  }
  return value && !value->empty() ? *value : expand(inside.substr(colon + 2), lookup, depth + 1);
}

std::string expand(std::string_view text, const VariableLookup& lookup, int depth) {
  if (depth > kDeepestDefault) fail(fmt::format("defaults nested more than {} deep", kDeepestDefault));
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view next = text.substr(i, 2);
    if (next == "$$") {
      result += '$';
      ++i;
    } else if (next == "${") {
      const std::size_t end = closing_brace(text, i + 2);
      result += variable(text.substr(i + 2, end - i - 2), lookup, depth);
      i = end;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

std::string expand_variables(std::string_view text, const VariableLookup& lookup) {
  return expand(text, lookup, 0);
}

void expand_tree(YamlNode& node, const VariableLookup& lookup, Problems& problems) {
  if (node.kind == YamlNode::Kind::scalar && !node.literal) {
    try {
      node.text = expand_variables(node.text, lookup);
    } catch (const Error& error) {
      problems.add(node.where, error.message());
    }
  }
  for (YamlNode& item : node.items) expand_tree(item, lookup, problems);
  for (YamlEntry& entry : node.entries) {
    if (!is_free_key(entry.key)) expand_tree(entry.value, lookup, problems);
  }
}

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace reel
