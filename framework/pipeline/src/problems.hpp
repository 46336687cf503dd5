// Mistakes found in a pipeline file, collected so that one run shows all of them. Single-thread.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace reel {

class Problems {
 public:
  void add(std::string where, std::string message) {
    found_.emplace_back(std::move(where), std::move(message));
  }
  [[nodiscard]] bool any() const noexcept { return !found_.empty(); }
  [[nodiscard]] std::size_t count() const noexcept { return found_.size(); }
  /// Throws Error{bad_config}: the first one's place, then a line for each, 20 at most.
  void throw_if_any() const;

 private:
  std::vector<std::pair<std::string, std::string>> found_;
};

/// "; did you mean 'slots'?" or nothing.
[[nodiscard]] std::string did_you_mean(const std::string& word, const std::vector<std::string>& names);

/// "a, b, c"; "none" for no items.
[[nodiscard]] std::string join_comma(const std::vector<std::string>& items);

}  // namespace reel
