// Side data of a picture whose pixels went elsewhere: what a filter that crops, flips, scales or composes
// passes on. Called by filters from their stage thread. Pure functions.
#pragma once

#include <functional>

#include <opencv2/core.hpp>

#include <reel/format/side_data.hpp>

/// Changes a box for the new picture; false: it is no part of it.
using BoxMove = std::function<bool(reel::Detection&)>;

/// Every entry of `from`, its boxes moved; entries whose boxes all went are left out. False when something
/// does not fit; the rest is added all the same.
[[nodiscard]] bool add_moved(const reel::SideDataView& from, reel::SideDataWriter& to, const BoxMove& move);

/// Cuts a box at the edges of a picture of that size. False when nothing is left of it, or it is no box.
[[nodiscard]] bool cut_to(cv::Size picture, reel::Detection& box);
