// What numbers on the command line must be, said in words of our own: the option's name is put before it.
#pragma once

#include <cstdint>

#include <CLI/CLI.hpp>

inline constexpr std::uint64_t kMostSeconds = 86'400;  // of a timeout

/// A whole number from `least` to `most`.
[[nodiscard]] CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);

/// A number of seconds from `least` to `most`, with or without a fraction.
[[nodiscard]] CLI::Validator seconds(double least, double most);
