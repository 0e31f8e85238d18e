/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The texts of the .varlink files in this directory, for org.varlink.service.GetInterfaceDescription. CMake generates the
 * source file.
 */
#pragma once

extern const char interface_org_topod[], interface_org_varlink_service[];
