/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library's <yaml.h>, which our own yaml.h hides. Include this file in angle brackets, so that it is found
 * along the include path; only then does include_next go on behind our folder.
 */
#pragma once

#pragma GCC system_header
#include_next <yaml.h>

#ifndef YAML_DECLARE
#error "include <libyaml.h> in angle brackets, with common/ in the include path"
#endif
