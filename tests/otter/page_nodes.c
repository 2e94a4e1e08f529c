#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/otter/keeper.h"
#include "tests/otter/layout.h"
#include "tests/otter/screens.h"
#include "tests/otter/template.h"

enum { ID, NAME, ADDRESS, PORT, DESCRIPTION, EXTERNAL };

static const char top[] =
        "<script type=\"text/javascript\" src=\"js/trcolor.js\"></script>\n"
        "<script language=\"javascript\">\n"
        "\tchangeNav(\"node\");\n"
        "</script>\n"
        "\n"
        "<!--页面主体-->\n"
        "<div class=\"main\">\n"
        "  <div class=\"title\"> \n"
        "    <h2>机器管理</h2>\n"
        "  </div>\n"
        "   <div class=\"crumbs\"><a href=\"nodeList.htm\">机器管理</a> </div> \n"
        "   <form id=\"pageform\" name=\"pageform\" action=\"$site/node_list.htm\" method=\"post\">\n"
        "    \t<input type=\"hidden\" id=\"pageIndex\" name=\"pageIndex\" value=\"\"/>\n"
        "   </form>\n"
        "     \n"
        "  <table border=\"0\" cellspacing=\"0\" cellpadding=\"0\" class=\"list changecolor_w\">\n"
        "    <tr> \n"
        "      <th>序号</th>\n"
        "      <th>机器名字</th>\n"
        "      <th>IP</th>\n"
        "      <th>端口</th>\n"
        "      <th>状态</th>\n"
        "      <th>操作</th>\n"
        "\t  \n"
        "    </tr>\n";

static const char row[] =
        "\t        <tr> \n"
        "          <td width=\"4%\">$id</td>\n"
        "          <td>\n"
        "          <div class=\"bubbleInfo\">\n"
        "\t\t\t <a href=\"$site/node_info.htm?nodeId=$id\" id=\"download\" class=\"trigger\">$name</a>\n"
        "             <div class=\"popup\">\n"
        "             <div class=\"pop_tips_mid\">\n"
        "              <div class=\"pop_tips_font\">$seniorNode.description\n"
        "              </div>\n"
        "             </div>\n"
        "             </div>\n"
        "          </div>      \n"
        "          </td>\n"
        "          <td> $ip $external</td>\n"
        "          <td>$port</td>\n"
        "          <td> $status </td>\n"
        "          <td>\n"
        "\t\t\t<a href=\"$site/node_info.htm?nodeId=$id\"><img src=\"images/ico_edit.png\" width=\"13\""
        " height=\"13\" /><span class=\"ico_font\">查看</span></a>\n"
        "\t\t  </td>\n"
        "        </tr>\n";

static const char bottom[] = "\t    \n"
                             "  </table>\n"
                             "  <!--常规按钮-->\n";

static void add_row(const struct fo_visit *visit, MYSQL_ROW node, struct fo_text *screen)
{
        bool is_up = fo_keeper_node_is_up(&visit->state, strtoll(node[ID], NULL, 10));
        bool is_external = node[EXTERNAL] && strcmp(node[EXTERNAL], "1") == 0;
        const struct fo_value values[] = {
                { .name = "site", .value = visit->site->address, .raw = true },
                { .name = "id", .value = node[ID] },
                { .name = "name", .value = node[NAME] },
                { .name = "seniorNode.description", .value = node[DESCRIPTION] },
                { .name = "ip", .value = node[ADDRESS] },
                { .name = "external", .value = is_external ? "(外) " : "" },
                { .name = "port", .value = node[PORT] },
                { .name = "status",
                        .value = is_up ? "已启动" : "<font color=\"#FF0000\">未启动</font>",
                        .raw = true },
                { 0 },
        };

        fo_template_add(screen, row, values);
}

static int add_rows(struct fo_visit *visit, int64_t page, struct fo_text *screen)
{
        ob_cleanup(fo_text_fini) struct fo_text sql = { 0 };
        MYSQL_RES *rows;
        MYSQL_ROW node;

        if (!page)
                return 0;
        fo_text_addf(&sql,
                "select ID, NAME, if(json_value(PARAMETERS, '$.useExternalIp'),"
                " json_value(PARAMETERS, '$.externalIp'), IP), PORT, DESCRIPTION,"
                " json_value(PARAMETERS, '$.useExternalIp') from NODE order by ID limit %d offset %" PRId64,
                FO_ROWS_A_PAGE, (page - 1) * FO_ROWS_A_PAGE);
        rows = fo_db_select(&visit->db, sql.bytes);
        if (!rows)
                return -1;
        while ((node = mysql_fetch_row(rows)))
                add_row(visit, node, screen);
        mysql_free_result(rows);
        return 0;
}

int fo_screen_nodes(struct fo_visit *visit, struct fo_text *screen)
{
        struct fo_paging paging;
        long long count = 0;

        if (!fo_state_find(&visit->state, "empty", "nodeList", NULL) &&
                fo_db_number(&visit->db, "select count(*) from NODE", &count))
                return -1;
        paging = fo_paging_of(visit, count);
        fo_layout_add_screen(visit, top, screen);
        if (add_rows(visit, paging.page, screen))
                return -1;
        fo_text_add(screen, bottom);
        fo_paging_add(&paging, screen);
        fo_text_add(screen, "</div>\n\n");
        return 0;
}
