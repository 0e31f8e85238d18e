# SPDX-License-Identifier: GPL-2.0-or-later
# The .varlink files as C strings: cmake -DOUT=FILE.c -P interfaces.cmake
set(CODE "#include \"control/interfaces.h\"\n")
foreach(interface org.topod org.varlink.service)
  file(READ ${CMAKE_CURRENT_LIST_DIR}/${interface}.varlink text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
  string(REPLACE "." "_" name ${interface})
  string(APPEND CODE "\nconst char interface_${name}[] =\n\t\"${text}\";\n")
endforeach()
file(WRITE ${OUT} "${CODE}")
