// What a shell offers when somebody presses Tab behind `reel ...`. Single-thread; asks running pipelines.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace CLI {
class App;
}

/// Lines for the scripts of completion_scripts.hpp: a candidate, or a candidate, a tab and what it means; or
/// one that begins with a colon: ":files yaml yml" (files of these kinds, of any where there is none),
/// ":dirs", ":nospace" (the word goes on). `words[current]` is being typed, words[0] is the program; both
/// "--a=b" and "--a" "=" "b", as bash has it, are understood. Never throws: what cannot be looked at is not
/// offered.
[[nodiscard]] std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                                std::size_t current) noexcept;
