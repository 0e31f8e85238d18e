# SPDX-License-Identifier: GPL-2.0-or-later
# The topologies of specs/ as C strings, for `topod init`: cmake -DOUT=FILE.c -DSPECS=FILE;FILE… -P templates.cmake
set(CODE "#include \"cli/templates.h\"\n\nconst struct template templates[] = {\n")
foreach(path IN LISTS SPECS)
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n\t  \"" text "${text}")
  string(APPEND CODE "\t{ \"${name}\",\n\t  \"${text}\" },\n")
endforeach()
file(WRITE ${OUT} "${CODE}\t{}\n};\n")
