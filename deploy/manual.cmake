# cmake -D CONFIG=… -D PAGE=… -D DATE=… -P manual.cmake makes otterbeat.cfg(5) from the commented demo config, so that each
# setting is explained in one place. These lines of the config have a meaning:
#
#   NAME = (   or {            begins a section; inside a section, and for `type = …`, a subsection. This line, and the line
#                              that ends the section, may be behind a "#". The comment above the line is the text at the
#                              beginning
#   NAME = VALUE;   # why      an item, also behind a "#"; at the top level the comment above the line explains the item
#   # text                     a paragraph, which a line with only "#" ends
#   #   word   why             an item in a comment
#         further to the right: # text        continues the item above
#   #NAME = { …                an example, which the page shows without a change, up to };
cmake_minimum_required(VERSION 3.25)

# Escapes the characters that are special to roff, and removes blanks that only align.
function(plain variable text)
        string(REGEX REPLACE " +" " " text "${text}")
        string(STRIP "${text}" text)
        string(REPLACE "-" "\\-" text "${text}")
        string(REPLACE "'" "\\(aq" text "${text}")
        string(REPLACE "~" "\\(ti" text "${text}")
        string(REPLACE "^" "\\(ha" text "${text}")
        string(REPLACE "\"" "\\(dq" text "${text}")
        string(REGEX REPLACE "`([^`]*)`" "\\\\fB\\1\\\\fR" text "${text}")
        string(REGEX REPLACE "([^ .][.]) ([^ ])" "\\1\n\\2" text "${text}") # puts each sentence on a line
        if(text MATCHES "^[.]")
                string(PREPEND text "\\&")
        endif()
        set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# `page` is the text so far; `last` is the kind of its last part: head, item, text, or gap.
function(end_list)
        if(in_list)
                string(APPEND page ".El\n")
                set(in_list FALSE)
        endif()
        return(PROPAGATE page in_list)
endfunction()

function(add_head macro title)
        end_list()
        string(REGEX REPLACE "${semicolon}$" "" title "${title}")
        plain(title "${title}")
        string(APPEND page ".${macro} \"${title}\"\n")
        set(last head)
        return(PROPAGATE page in_list last)
endfunction()

function(add_item what why)
        string(REGEX REPLACE "${semicolon} *$" "" what "${what}")
        plain(what "${what}")
        plain(why "${why}")
        if(NOT in_list)
                string(APPEND page ".Bl -tag -width indent\n")
                set(in_list TRUE)
        endif()
        string(APPEND page ".It Li \"${what}\"\n")
        if(NOT why STREQUAL "")
                string(APPEND page "${why}\n")
        endif()
        set(last item)
        return(PROPAGATE page in_list last)
endfunction()

function(add_setting line)
        set(why "")
        string(FIND "${line}" " # " at)
        if(at GREATER 0)
                math(EXPR behind "${at} + 3")
                string(SUBSTRING "${line}" ${behind} -1 why)
                string(SUBSTRING "${line}" 0 ${at} line)
        endif()
        add_item("${line}" "${why}")
        return(PROPAGATE page in_list last)
endfunction()

function(add_text text)
        plain(text "${text}")
        if(last STREQUAL "item" OR last STREQUAL "gap")
                end_list()
                string(APPEND page ".Pp\n")
        endif()
        string(APPEND page "${text}\n")
        set(last text)
        return(PROPAGATE page in_list last)
endfunction()

# Adds the comment that was held back until the next line showed where the comment belongs.
function(add_held)
        foreach(text IN LISTS held)
                string(REGEX REPLACE "^#" "" text "${text}")
                if(text MATCHES "^     +(# )?(.*)$" AND last STREQUAL "item")
                        plain(text "${CMAKE_MATCH_2}")
                        string(APPEND page "${text}\n")
                elseif(text MATCHES "^   [a-z_]+ += ")
                        add_setting("${text}")
                elseif(text MATCHES "^   ([^ ]+( [^ ]+)*)   *(.*)$")
                        add_item("${CMAKE_MATCH_1}" "${CMAKE_MATCH_3}")
                elseif(text MATCHES "[^ ]")
                        add_text("${text}")
                elseif(last STREQUAL "text")
                        set(last gap)
                endif()
        endforeach()
        set(held "")
        return(PROPAGATE page in_list last held)
endfunction()

function(take_example line)
        string(REGEX REPLACE "[^ ].*$" "" indent "${line}")
        plain(plain "${line}")
        string(APPEND page "${indent}${plain}\n")
        if(line MATCHES "}${semicolon}$")
                string(APPEND page ".Ed\n")
                set(in_example FALSE)
                set(last gap)
        endif()
        return(PROPAGATE page last in_example)
endfunction()

# A setting, its "#" taken off.
function(take_setting line)
        string(REGEX MATCH "^[a-z_]+" name "${line}")
        string(TOUPPER "${name}" title)
        if(line MATCHES "^[a-z_]+ *= *[({]$")
                if(depth EQUAL 0)
                        add_head(Sh "${title}")
                else()
                        add_head(Ss "${name}")
                endif()
                add_held()
                math(EXPR depth "${depth} + 1")
        elseif(depth EQUAL 0)
                add_setting("${line}")
                set(last text) # its comment is the item's
                add_held()
        elseif(name STREQUAL "type")
                add_head(Ss "${line}")
        elseif(line MATCHES "^[a-z_]+ *= *[{]" AND NOT line MATCHES "[}]")
                add_held()
                end_list()
                string(APPEND page ".Bd -literal\n")
                set(in_example TRUE)
                take_example("${line}")
        else()
                add_held()
                add_setting("${line}")
        endif()
        return(PROPAGATE page in_list last held depth in_example)
endfunction()

# A list of CMake cannot hold these characters.
string(ASCII 1 semicolon)
string(ASCII 2 open)
string(ASCII 3 close)
string(ASCII 4 backslash)
file(READ ${CONFIG} lines)
string(REPLACE ";" "${semicolon}" lines "${lines}")
string(REPLACE "[" "${open}" lines "${lines}")
string(REPLACE "]" "${close}" lines "${lines}")
string(REPLACE "\\" "${backslash}" lines "${lines}")
string(REPLACE "\n" ";" lines "${lines}")

set(page "")
set(held "")
set(last head)
set(depth 0)
foreach(line IN LISTS lines)
        if(NOT in_example AND line MATCHES "^ *#?([a-z_]+ *= *.*)$")
                take_setting("${CMAKE_MATCH_1}")
        elseif(in_example)
                string(REGEX REPLACE "^ *#" "" line "${line}")
                take_example("${line}")
        elseif(line MATCHES "^ *#?[)}]")
                add_held()
                math(EXPR depth "${depth} - 1")
        elseif(line MATCHES "^                    +# *(.*)$")
                plain(line "${CMAKE_MATCH_1}")
                string(APPEND page "${line}\n")
        elseif(line MATCHES "^ *(#.*)$")
                list(APPEND held "${CMAKE_MATCH_1}")
        elseif(line MATCHES "^ *[{]")
                math(EXPR depth "${depth} + 1")
        elseif(page STREQUAL "") # the end of the text at the top of the file
                add_held()
                add_head(Sh "GENERAL SETTINGS")
        endif()
endforeach()
end_list()
string(REPLACE "${semicolon}" ";" page "${page}")
string(REPLACE "${open}" "[" page "${page}")
string(REPLACE "${close}" "]" page "${page}")
string(REPLACE "${backslash}" "\\e" page "${page}")

file(WRITE ${PAGE} ".Dd ${DATE}
.Dt OTTERBEAT.CFG 5
.Os
.Sh NAME
.Nm otterbeat.cfg
.Nd config of the push agent for Alibaba Otter's statistics
.Sh DESCRIPTION
.nh
${page}.Sh FILES
.Bl -tag -width indent
.It Pa ./otterbeat.cfg , /etc/otterbeat/otterbeat.cfg
Where it is looked for.
.Nm otterbeat Fl -init
writes one that says all of this in its comments.
.El
.Sh SEE ALSO
.Xr otterbeat 1
")
