#include <inttypes.h>
#include <stdlib.h>

#include "proto/memory.h"
#include "tests/otter/figures.h"
#include "tests/otter/keeper.h"
#include "tests/otter/layout.h"
#include "tests/otter/screens.h"
#include "tests/otter/template.h"

enum { ID, NAME, PIPELINES };

static const char top[] =
        "<script type=\"text/javascript\" src=\"js/trcolor.js\"></script>\n"
        "<script language=\"javascript\">\n"
        "<!--\n"
        "\tchangeNav(\"sync\");\n"
        "    $(function () {\n"
        "        $('.bubbleInfo').each(function () {\n"
        "            var trigger = $('.trigger', this);\n"
        "        });\n"
        "    });\n"
        "    //-->\n"
        "</script>\n"
        "\n"
        "<!--页面主体-->\n"
        "<div class=\"main\">\n"
        "   <div class=\"title\">\n"
        "    <h2>Channel管理</h2>\n"
        "  </div>\n"
        "   <div class=\"crumbs\"><a href=\"channelList.htm\">Channel管理</a></div> \n"
        "   \n"
        "   <!--分页表单-->\n"
        "   <form id=\"pageform\" name=\"pageform\" action=\"$site/channel_list.htm\" method=\"post\">\n"
        "    \t<input type=\"hidden\" id=\"pageIndex\" name=\"pageIndex\" value=\"\"/>\n"
        "\t\t<input type=\"hidden\" id=\"searchKey\" name=\"searchKey\" value=\"$!searchKey\"/>\n"
        "   </form>\n"
        "   <div class=\"search_o\"> \n"
        "\t\t<form name=\"search_channel\" action=\"channelList.htm\" method=\"post\">\n"
        "\t\t\t\t<input name=\"searchKey\" type=\"text\" value=\"请输入关键字\""
        "  onfocus=\"if(this.value == '请输入关键字') {this.value='';}\" />\n"
        "        </form>\n"
        "   </div>\n"
        "    \n"
        "  <table border=\"0\" cellspacing=\"0\" cellpadding=\"0\" class=\"list changecolor_w\">\n"
        "    <tr> \n"
        "      <th>序号</th>\n"
        "      <th>Channel名字</th>\n"
        "      <th>运行状态</th>\n"
        "\t  <th>同步方向</th>\n"
        "\t  <th>操作</th>\n"
        "    </tr>\n"
        "    \n";

static const char row[] =
        "    \t\t<tr> \n"
        "\t      <td width=\"5%\">$id</td>\n"
        "\t      <td width=\"16%\">\n"
        "\t\t\t\t\t\t<a href=\"$site/pipeline_list.htm?channelId=$id\" id=\"download\" class=\"trigger\">$name</a>\n"
        "\t      </td>\n"
        "\t      \n"
        "\t      \t<td>\n"
        "                  <a href=\"\" style=\"color:$colour\">$status</a>\n"
        "\t\t\t\t\t\t\t</td>\n"
        "\t      <td>\n"
        "$direction\t\t\t\t\t\t\t</td>\n"
        "\t     \n"
        "\t\t  <td><p>\n"
        "        \t\t\t\t\t\t\t\t\t\t<a href=\"$site/channel_info.htm?channelId=$id\">"
        "<img src=\"images/ico_edit.png\" width=\"13\" height=\"13\" /><span class=\"ico_font\">查看</span></a>\n";

/* For administrators: links that do something, by GET. */
static const char stop_link[] =
        "\t\t\t\t\t\t\t\t<span class=\"ico_line\">|</span>"
        "<a href=\"javascript:if(confirm('确实关闭Channel吗?'))location='$site/channel_list.htm?action=channelAction"
        "&amp;channelId=$id&amp;status=stop&amp;eventSubmitDoStatus=true'\">"
        "<img src=\"images/ico_edit.png\" width=\"13\" height=\"13\" /><span class=\"ico_font\">停用</span></a>\n";

static const char row_end[] = "\t\t\t\t\t\t    \t\t\t\t\t    \t  </p></td>\n"
                              "\t    </tr>\n";

static const char bottom[] = "\t  \n"
                             "  </table>\n"
                             "  <!--常规按钮-->\n"
                             "\t        \n";

static const char end[] = "</div>\n\n<script language=\"javascript\">\n</script>\n";

static const struct {
        const char *text;
        const char *colour;
} states[] = {
        [FO_STOPPED] = { "停止", "gray" },
        [FO_PAUSED] = { "挂起", "red" },
        [FO_RUNNING] = { "运行", "green" },
};

/* By the number of pipelines; with more of them nothing is said. */
static const char *const directions[] = { "\t\t\t\t 无 \n", "\t\t\t\t 单向\n", "\t\t\t\t 双向\n" };

static void add_row(const struct fo_visit *visit, MYSQL_ROW channel, struct fo_text *screen)
{
        enum fo_run_state status = fo_keeper_channel(&visit->state, strtoll(channel[ID], NULL, 10));
        size_t pipelines = strtoul(channel[PIPELINES], NULL, 10);
        const struct fo_value values[] = {
                { .name = "site", .value = visit->site->address, .raw = true },
                { .name = "id", .value = channel[ID] },
                { .name = "name", .value = channel[NAME] },
                { .name = "colour", .value = states[status].colour },
                { .name = "status", .value = states[status].text },
                { .name = "direction", .value = pipelines < 3 ? directions[pipelines] : "" },
                { 0 },
        };

        fo_template_add(screen, row, values);
        if (visit->viewer[0] && status != FO_STOPPED)
                fo_template_add(screen, stop_link, values);
        fo_text_add(screen, row_end);
}

/* Which channels are wanted, as the end of a statement. */
static void add_condition(struct fo_visit *visit, struct fo_text *sql)
{
        const char *search = fo_visit_query(visit, "searchKey");
        int64_t channel = fo_visit_number(visit, "channelId", 0);

        fo_text_add(sql, " from CHANNEL c where ");
        fo_text_add(sql, fo_state_find(&visit->state, "empty", "channelList", NULL) ? "false" : "true");
        if (channel)
                fo_text_addf(sql, " and c.ID = %" PRId64, channel);
        if (search && *search) {
                fo_text_add(sql, " and (c.NAME like concat('%', ");
                fo_db_quote(&visit->db, sql, search);
                fo_text_add(sql, ", '%') or c.ID = ");
                fo_db_quote(&visit->db, sql, search);
                fo_text_add(sql, ")");
        }
}

static int add_rows(struct fo_visit *visit, const struct fo_text *condition, int64_t page, struct fo_text *screen)
{
        ob_cleanup(fo_text_fini) struct fo_text sql = { 0 };
        MYSQL_RES *rows;
        MYSQL_ROW channel;

        if (!page)
                return 0;
        fo_text_addf(&sql,
                "select c.ID, c.NAME, (select count(*) from PIPELINE p where p.CHANNEL_ID = c.ID)"
                "%s order by c.ID limit %d offset %" PRId64,
                condition->bytes, FO_ROWS_A_PAGE, (page - 1) * FO_ROWS_A_PAGE);
        rows = fo_db_select(&visit->db, sql.bytes);
        if (!rows)
                return -1;
        while ((channel = mysql_fetch_row(rows)))
                add_row(visit, channel, screen);
        mysql_free_result(rows);
        return 0;
}

int fo_screen_channels(struct fo_visit *visit, struct fo_text *screen)
{
        ob_cleanup(fo_text_fini) struct fo_text condition = { 0 };
        ob_cleanup(fo_text_fini) struct fo_text sql = { 0 };
        const struct fo_value values[] = {
                { .name = "site", .value = visit->site->address, .raw = true },
                { .name = "searchKey", .value = fo_visit_query(visit, "searchKey") },
                { 0 },
        };
        struct fo_paging paging;
        long long count;

        add_condition(visit, &condition);
        fo_text_addf(&sql, "select count(*)%s", condition.bytes);
        if (fo_db_number(&visit->db, sql.bytes, &count))
                return -1;
        paging = fo_paging_of(visit, count);
        fo_template_add(screen, top, values);
        if (add_rows(visit, &condition, paging.page, screen))
                return -1;
        fo_text_add(screen, bottom);
        fo_paging_add(&paging, screen);
        fo_text_add(screen, end);
        return 0;
}
